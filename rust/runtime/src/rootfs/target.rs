//! The place in the container that a mount covers.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use pyctr_sys::{
    mount,
    root::{Links, Root},
};
use rustix::{
    fs::{FileType, Mode, PROC_SUPER_MAGIC, Stat, fstat, fstatfs},
    io::Errno,
};

use super::plan::{Form, Planned};
use crate::error::{Cause as _, Context as _, Error, Kind, Result};

/// Files of procfs that may be covered: what programs such as lxcfs give containers a view of their own of.
const COVERABLE: [&str; 10] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// An open place (`O_PATH`), and whether it had to be made.
pub(super) struct Target {
    place: OwnedFd,
    stat: Stat,
    made: bool,
}

/// Opens the place of `planned`, or makes it: a file if `source` is one, else a directory.
pub(super) fn open(root: &Root, planned: &Planned<'_>, source: Option<&OwnedFd>) -> Result<Target> {
    let cannot = |cause: String| Error::setup(planned.cannot_mount(), cause);
    let (place, made) =
        find(root, planned, source).map_err(|error| cannot(explain(planned, &error)))?;
    let stat = fstat(&place).map_err(|errno| cannot(errno.describe()))?;
    let top = fstat(root).map_err(|errno| cannot(errno.describe()))?;
    if (stat.st_dev, stat.st_ino) == (top.st_dev, top.st_ino) {
        return Err(cannot(
            "it leads to the container's root directory".to_owned(),
        ));
    }
    check_proc(planned, &place, source)?;
    Ok(Target { place, stat, made })
}

impl Target {
    /// Covers the place with the detached mount `made`.
    pub(super) fn attach(&self, planned: &Planned<'_>, made: impl AsFd) -> Result<()> {
        mount::attach(&made, &self.place).map_err(|error| {
            let directory = fstat(&made).map(|stat| is_directory(&stat));
            let cause = match (is_directory(&self.stat), directory) {
                (true, Ok(false)) => "a file cannot cover a directory".to_owned(),
                (false, Ok(true)) => "a directory cannot cover a file".to_owned(),
                _ => error.describe(),
            };
            Error::setup(planned.cannot_mount(), cause)
        })
    }

    /// The permission bits of what was there before.
    pub(super) fn old_mode(&self) -> Option<u32> {
        (!self.made).then_some(self.stat.st_mode & 0o7777)
    }
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

fn find(
    root: &Root,
    planned: &Planned<'_>,
    source: Option<&OwnedFd>,
) -> io::Result<(OwnedFd, bool)> {
    let links = if is_strict(planned) {
        Links::Refuse
    } else {
        Links::Follow
    };
    let path = &planned.destination;
    match root.place(path, links) {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NOENT) => {}
        found => return found.map(|fd| (fd, false)),
    }
    let file = match source {
        Some(source) => FileType::from_raw_mode(fstat(source)?.st_mode) != FileType::Directory,
        None => false,
    };
    let made = if file && links == Links::Follow {
        root.touch(path)
    } else {
        root.mkdir_all(path, Mode::from_raw_mode(0o755), links)
    };
    made.map(|fd| (fd, true))
}

/// What the rest of the runtime trusts must be where its name says: an image with a link for `/proc` could otherwise have the mount
/// elsewhere and a forgery in its place (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561).
fn is_strict(planned: &Planned<'_>) -> bool {
    let fresh = planned.form == Form::Fresh && matches!(planned.kind, "proc" | "sysfs");
    fresh
        || ["/proc", "/sys"]
            .iter()
            .any(|path| planned.destination == Path::new(path))
}

fn explain(planned: &Planned<'_>, error: &io::Error) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::LOOP) if is_strict(planned) => {
            "it must be mounted on ordinary directory, and the image has a symbolic link there"
                .into()
        }
        Some(Errno::NOTDIR) => "the image has a file there that is not a directory".into(),
        Some(Errno::ROFS) => {
            "the mount point is missing and the file system that should hold it is read-only".into()
        }
        _ => error.describe(),
    }
}

/// Only a procfs may be mounted on `/proc`, and nothing but single files inside one.
fn check_proc(planned: &Planned<'_>, place: &OwnedFd, source: Option<&OwnedFd>) -> Result<()> {
    let path = &planned.destination;
    let refuse = |why: &str| {
        Err(Error::new(
            Kind::Invalid,
            format!("{}: {why}", planned.cannot_mount()),
        ))
    };
    if path == Path::new("/proc") {
        let proc = match source {
            Some(source) => is_procfs(source).context(|| planned.cannot_mount())?,
            None => planned.kind == "proc",
        };
        return if proc {
            Ok(())
        } else {
            refuse("only a proc file system may be there")
        };
    }
    let inside =
        path.starts_with("/proc") || is_procfs(place).context(|| planned.cannot_mount())?;
    if inside && !COVERABLE.iter().any(|file| path == Path::new(file)) {
        return refuse("it is inside /proc");
    }
    Ok(())
}

fn is_procfs(fd: &OwnedFd) -> std::result::Result<bool, Errno> {
    Ok(fstatfs(fd)?.f_type == PROC_SUPER_MAGIC)
}
