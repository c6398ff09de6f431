//! A container that was made earlier, by this process or another one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pyctr_cgroup::Cgroup;

use crate::{
    error::{Context, Error, Kind, Result},
    hooks,
    spec::Spec,
    state::{self, FILE, GATE, Oci, Record, Status},
};

/// A handle on a container: its directory, and what is written there.
#[derive(Debug)]
pub struct Container {
    pub(crate) directory: PathBuf,
    pub(crate) record: Record,
}

impl Container {
    pub(crate) fn new(directory: PathBuf, record: Record) -> Self {
        Self { directory, record }
    }

    /// The container called `id` below `state_root`.
    ///
    /// # Errors
    /// [`Kind::NoSuchContainer`]; [`Kind::Invalid`] for a name that none can have; an unreadable record.
    pub fn open(state_root: &Path, id: &str) -> Result<Self> {
        state::check_id(id)?;
        let directory = state_root.join(id);
        let record = Record::load(&directory, id)?;
        Ok(Self { directory, record })
    }

    /// All containers below `state_root`, by name. One that cannot be read is left out of the first list and told in the second.
    ///
    /// # Errors
    /// The directory cannot be read; one that is not there holds no containers.
    pub fn list(state_root: &Path) -> Result<(Vec<Self>, Vec<Error>)> {
        let (mut found, mut broken) = (Vec::new(), Vec::new());
        let entries = match fs::read_dir(state_root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok((found, broken));
            }
            other => other.context(|| format!("cannot read {}", state_root.display()))?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for name in names.filter(|name| state_root.join(name).join(FILE).exists()) {
            match Self::open(state_root, &name) {
                Ok(container) => found.push(container),
                Err(error) => broken.push(error),
            }
        }
        found.sort_by(|one, other| one.record.id.cmp(&other.record.id));
        Ok((found, broken))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// Where it is known: the directory of its record.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What is written about it.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Where it is in its life, now.
    #[must_use]
    pub fn status(&self) -> Status {
        if !self.record.init.is_alive() {
            return Status::Stopped;
        }
        if self.directory.join(GATE).exists() {
            return Status::Created;
        }
        match self.cgroup() {
            Ok(Some(cgroup)) if cgroup.frozen().unwrap_or(false) => Status::Paused,
            _ => Status::Running,
        }
    }

    /// The specification's state of it, now.
    #[must_use]
    pub fn state(&self) -> Oci {
        self.record.oci(self.status())
    }

    /// Its document, as it was when the container was made.
    ///
    /// # Errors
    /// The document is gone or cannot be read.
    pub fn spec(&self) -> Result<Spec> {
        let copy = self.directory.join("config.json");
        let path = if copy.exists() {
            copy
        } else {
            self.record.bundle.join("config.json")
        };
        Ok(Spec::load(&path)?)
    }

    /// Its cgroup; `None` if it has none, or none any more.
    ///
    /// # Errors
    /// The cgroup is there and cannot be opened.
    pub fn cgroup(&self) -> Result<Option<Cgroup>> {
        if self.record.cgroup_paths.is_empty() {
            return Ok(None);
        }
        match Cgroup::from_paths(
            self.record.cgroup.as_deref().unwrap_or_default(),
            &self.record.cgroup_paths,
        ) {
            Ok(cgroup) => Ok(Some(cgroup)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How many of its processes the kernel has killed for want of memory; `None` where nobody counts them. To be read before the
    /// container is deleted. Of its cgroup, only what counts is opened.
    #[must_use]
    pub fn oom_kills(&self) -> Option<u64> {
        let counts = |name: &str| name.split(',').any(|name| matches!(name, "" | "memory"));
        let mut paths = self.record.cgroup_paths.clone();
        paths.retain(|name, _| counts(name));
        let name = self.record.cgroup.as_deref().unwrap_or_default();
        Cgroup::from_paths(name, &paths).ok()?.oom_kills().ok()
    }

    /// Its cgroup, where nothing can be done without one.
    pub(crate) fn needs_cgroup(&self, to: &str) -> Result<Cgroup> {
        let missing = || {
            Error::new(
                Kind::State,
                format!("cannot {to} container {}: it has no cgroup", self.id()),
            )
        };
        self.cgroup()?.ok_or_else(missing)
    }

    /// The error of a request that this container cannot serve as it is.
    pub(crate) fn refuse(&self, to: &str, why: &str) -> Error {
        Error::new(
            Kind::State,
            format!("cannot {to} container {}: {why}", self.id()),
        )
    }

    /// Runs the poststart hooks.
    pub(crate) fn run_poststart(&self) -> Result<()> {
        let hooks = &self.record.poststart;
        if hooks.is_empty() {
            return Ok(());
        }
        let state = self.record.oci(Status::Running).to_json();
        hooks::run("poststart", hooks, &state, None)
    }

    /// Takes a container apart whose start failed, and gives back why it did.
    pub(crate) fn undo(self, error: Error) -> Error {
        // What goes wrong now only follows from it.
        let _ = self.delete(true);
        error
    }
}
