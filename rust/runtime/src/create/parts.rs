//! What `create` needs before it can clone: a directory, a gate, cgroups.

use std::{
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use pyctr_cgroup::Cgroup;
use rustix::{
    fs::{CWD, FileType, FlockOperation, Mode, OFlags, flock, mknodat, openat, unlink},
    io::Errno,
};

use crate::{
    clock,
    error::{Context, Error, Kind, Result},
    identity::Identity,
    options::CreateOptions,
    rootfs::{self, CgroupMount},
    spec::{Mount, Spec},
    state::{self, FILE, GATE, Record},
};

/// Where the reaper appears inside the container.
const INIT: &str = "/sbin/docker-init";

/// Makes the container's directory, unless there is a container in it. What is given with it keeps others from doing the same.
pub(super) fn claim(options: &CreateOptions<'_>) -> Result<(PathBuf, OwnedFd)> {
    let taken = || {
        Error::new(
            Kind::Exists,
            format!("container {} exists already", options.id),
        )
    };
    let directory = state::make_directory(options.state_root, options.id)?;
    let what = || format!("cannot lock {}", directory.display());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let lock = openat(CWD, &directory, flags, Mode::empty()).context(what)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Err(taken()),
        other => other.context(what)?,
    }
    match Record::load(&directory, options.id) {
        Ok(old) if options.replace && !old.init.is_alive() => {}
        // One that cannot be read is in the way too, until it is deleted.
        Ok(_) => return Err(taken()),
        Err(error) if error.kind() == Kind::NoSuchContainer => {}
        Err(_) if options.replace => {}
        Err(_) => return Err(taken()),
    }
    Ok((directory, lock))
}

pub(super) fn make_gate(directory: &Path) -> Result<OwnedFd> {
    let path = directory.join(GATE);
    let what = || format!("cannot make {}", path.display());
    match unlink(&path) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno).context(what),
    }
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).context(what)?;
    // Open for both, so that neither end ever waits for the other one to be opened.
    openat(CWD, &path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).context(what)
}

pub(super) fn make_cgroup(
    options: &CreateOptions<'_>,
    warnings: &mut Vec<String>,
) -> Result<Option<Cgroup>> {
    let Some(driver) = options.cgroup_driver else {
        return Ok(None);
    };
    let linux = &options.spec.linux;
    let default = format!("/pyctr/{}", options.id);
    let path = linux
        .cgroups_path
        .as_deref()
        .filter(|path| !path.is_empty())
        .unwrap_or(&default);
    let cgroup = match Cgroup::create(path, driver) {
        Ok(cgroup) => cgroup,
        // An ordinary user may have no cgroup to use; that is an error only if limits are asked for.
        Err(error)
            if error.is_permission()
                && !rustix::process::geteuid().is_root()
                && linux.resources.is_none() =>
        {
            warnings.push(format!("the container has no cgroup: {error}"));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(resources) = &linux.resources
        && let Err(error) = cgroup.apply(resources)
    {
        let _ = cgroup.remove();
        return Err(error.into());
    }
    Ok(Some(cgroup))
}

/// The directories of a cgroup under the names that a mount of type `cgroup` gives them.
fn cgroup_mounts(cgroup: &Cgroup) -> Vec<CgroupMount> {
    let paths = cgroup.paths();
    let only = paths.len() == 1;
    let name = |hierarchy: String| match hierarchy.strip_prefix("name=") {
        Some(name) => name.to_owned(),
        None if hierarchy.is_empty() && !only => "unified".to_owned(),
        None => hierarchy,
    };
    paths
        .into_iter()
        .map(|(hierarchy, path)| CgroupMount {
            name: name(hierarchy),
            path,
        })
        .collect()
}

/// Puts the reaper in front of the program.
pub(super) fn insert_init(spec: &mut Spec, init: &Path) {
    spec.mounts.push(Mount {
        destination: INIT.into(),
        kind: Some("bind".into()),
        source: Some(init.to_owned()),
        options: ["bind", "ro", "nosuid", "nodev"]
            .map(str::to_owned)
            .to_vec(),
        ..Mount::default()
    });
    if let Some(process) = &mut spec.process {
        process.args.splice(0..0, [INIT, "--"].map(str::to_owned));
    }
}

/// Keeps a copy of the document for `exec`: the bundle may change or go.
pub(super) fn keep_document(options: &CreateOptions<'_>, directory: &Path) -> Result<()> {
    if directory == options.bundle {
        return Ok(());
    }
    let (from, to) = (
        options.bundle.join("config.json"),
        directory.join("config.json"),
    );
    match fs::copy(&from, &to) {
        // The caller has the document from elsewhere.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map(drop).context(|| {
            format!(
                "cannot copy {} to {}",
                from.display(),
                directory.join(FILE).display()
            )
        }),
    }
}

/// What `config.json` does not say about the root file system.
pub(super) fn rootfs_options(
    options: &CreateOptions<'_>,
    cgroup: Option<&Cgroup>,
) -> rootfs::Options {
    rootfs::Options {
        bundle: options.bundle.to_owned(),
        overlay: options.overlay.clone(),
        idmap_root: false,
        no_pivot: options.no_pivot,
        cgroups: cgroup.map(cgroup_mounts).unwrap_or_default(),
    }
}

/// What will be known about the container; its first process is not there yet.
pub(super) fn record(options: &CreateOptions<'_>, cgroup: Option<&Cgroup>) -> Record {
    let spec = &options.spec;
    Record {
        oci_version: spec.oci_version.clone(),
        id: options.id.to_owned(),
        bundle: options.bundle.to_owned(),
        annotations: spec.annotations.clone(),
        rootfs: spec
            .root
            .as_ref()
            .map(|root| options.bundle.join(&root.path)),
        created: clock::WallTime::now().to_string(),
        init: Identity {
            pid: 0,
            start_time: 0,
        },
        cgroup: spec.linux.cgroups_path.clone(),
        cgroup_paths: cgroup.map(Cgroup::paths).unwrap_or_default(),
        namespaces: spec.linux.namespaces.clone(),
        poststart: spec.hooks.poststart.clone(),
        poststop: spec.hooks.poststop.clone(),
    }
}
