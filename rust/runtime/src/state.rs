//! What is known about a container between two calls: the specification's state, and the file `state.json`.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Context, Error, Kind, Result},
    identity::Identity,
    spec::{Hook, Namespace},
};

/// The file's name.
pub const FILE: &str = "state.json";
/// The record before it is published.
pub(crate) const STAGED: &str = "state.json.new";
/// The gate of a container that is created and not started.
pub(crate) const GATE: &str = "exec.fifo";

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is being made.
    Creating,
    /// It is made, and its program waits for `start`.
    Created,
    /// Its program runs.
    Running,
    /// All its processes are frozen.
    Paused,
    /// Its first process has ended.
    Stopped,
}

/// The specification's `state`: what hooks get and `state` prints.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Oci {
    /// Version of the specification.
    pub oci_version: String,
    /// The container's name.
    pub id: String,
    /// Its first process; absent (0) where there is none.
    #[serde(skip_serializing_if = "is_zero")]
    pub pid: i32,
    /// Where it is in its life.
    pub status: Status,
    /// The bundle, absolute.
    pub bundle: PathBuf,
    /// The document's annotations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The root file system on the host, where there is a directory for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rootfs: Option<PathBuf>,
    /// When it was made, RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created: String,
}

fn is_zero(pid: &i32) -> bool {
    *pid == 0
}

impl Oci {
    /// The document, on one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The content of `state.json`. What others could misuse is not in it, but nobody else needs to read it either: 0600.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of the specification that the document followed.
    pub oci_version: String,
    /// The container's name.
    pub id: String,
    /// The bundle, absolute.
    pub bundle: PathBuf,
    /// The document's annotations.
    pub annotations: BTreeMap<String, String>,
    /// The root file system on the host, where there is a directory for it.
    pub rootfs: Option<PathBuf>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// Its first process.
    pub init: Identity,
    /// The cgroup as the document named it.
    pub cgroup: Option<String>,
    /// The cgroup's directories by hierarchy.
    pub cgroup_paths: BTreeMap<String, PathBuf>,
    /// The namespaces that the document listed.
    pub namespaces: Vec<Namespace>,
    /// What to run when it is deleted; the bundle may be gone by then.
    pub poststop: Vec<Hook>,
    /// What to run when it is started.
    pub poststart: Vec<Hook>,
}

impl Record {
    /// The specification's state at this status.
    #[must_use]
    pub fn oci(&self, status: Status) -> Oci {
        Oci {
            oci_version: self.oci_version.clone(),
            id: self.id.clone(),
            status,
            pid: if status == Status::Stopped {
                0
            } else {
                self.init.pid
            },
            bundle: self.bundle.clone(),
            annotations: self.annotations.clone(),
            rootfs: self.rootfs.clone(),
            created: self.created.clone(),
        }
    }

    /// Reads the record of a container.
    ///
    /// # Errors
    /// [`Kind::NoSuchContainer`] if there is none, else what is wrong with the file.
    pub fn load(directory: &Path, id: &str) -> Result<Self> {
        let path = directory.join(FILE);
        let text = fs::read(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::new(
                Kind::NoSuchContainer,
                format!("container {id} does not exist"),
            ),
            _ => Error::setup(format!("cannot read {}", path.display()), error),
        })?;
        serde_json::from_slice(&text).map_err(|error| {
            Error::setup(format!("cannot read {}", path.display()), error.to_string())
        })
    }

    /// Writes the record where nobody looks yet; [`publish`](Self::publish) is the cheap rest of it.
    pub(crate) fn stage(&self, directory: &Path) -> Result<()> {
        let new = directory.join(STAGED);
        let what = || format!("cannot write {}", new.display());
        let text =
            serde_json::to_vec(self).map_err(|error| Error::setup(what(), error.to_string()))?;
        let mut options = fs::OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new);
        file.and_then(|mut file| io::Write::write_all(&mut file, &text))
            .context(what)
    }

    /// Makes the staged record the container's: all of it or nothing.
    pub(crate) fn publish(directory: &Path) -> Result<()> {
        let path = directory.join(FILE);
        fs::rename(directory.join(STAGED), &path)
            .context(|| format!("cannot write {}", path.display()))
    }

    /// The first process's id.
    pub(crate) fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.init.pid)
    }
}

/// Makes the directory of a container, 0711 above it and 0700 itself.
pub(crate) fn make_directory(root: &Path, id: &str) -> Result<PathBuf> {
    let directory = root.join(id);
    let what = || format!("cannot make {}", directory.display());
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(root)
        .context(what)?;
    match fs::DirBuilder::new().mode(0o700).create(&directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        other => other.context(what)?,
    }
    Ok(directory)
}

/// Checks a container's name: it becomes part of paths.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn check_id(id: &str) -> Result<()> {
    let first = id.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let rest = id
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_+-.".contains(c));
    if first && rest && id.len() <= 255 {
        return Ok(());
    }
    Err(Error::new(
        Kind::Invalid,
        format!(
            "invalid character in container ID {id:?}: it is made of letters, digits, _, +, - and ."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_inside_their_directory() {
        for good in ["a", "0123abc", "my-box_1.2+3"] {
            check_id(good).expect(good);
        }
        for bad in ["", ".", "..", "a/b", "../a", "a b", "-a", "ä"] {
            assert!(check_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_missing_record_is_a_missing_container() {
        let dir = tempfile::tempdir().expect("a directory");
        let error = Record::load(dir.path(), "box").expect_err("missing");
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (Kind::NoSuchContainer, "container box does not exist")
        );
    }
}
