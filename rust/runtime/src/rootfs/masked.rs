//! Paths that cannot be seen, paths that cannot be written, and the root read-only.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use pyctr_sys::{
    mount::{FsContext, MountAttr, attach, clone_mount, mount_setattr},
    root::{Links, Root},
};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, makedev, openat},
    io::Errno,
    mount::MountAttrFlags as Attr,
};

use super::Mounted;
use crate::error::{Context as _, Error, Kind, Result};

/// Covers each path that exists: a directory with an empty one, anything else with `/dev/null`.
pub(super) fn mask(root: &Root, paths: &[PathBuf]) -> Result<()> {
    let mut masks = Masks::default();
    for (i, path) in paths.iter().enumerate() {
        if paths[..i].contains(path) {
            continue;
        }
        let Some(place) = existing(root, path)? else {
            continue;
        };
        masks
            .cover(place)
            .context(|| format!("cannot mask {}", path.display()))?;
    }
    Ok(())
}

/// Covers each path that exists with a read-only copy of itself.
pub(super) fn protect(root: &Root, paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let Some(place) = existing(root, path)? else {
            continue;
        };
        protect_one(place).context(|| format!("cannot make {} read-only", path.display()))?;
    }
    Ok(())
}

/// Makes read-only what had to wait for it, the root last.
pub(super) fn seal(mounted: &Mounted<'_>) -> Result<()> {
    for mount in &mounted.read_only_later {
        read_only(mount, false).context(|| "cannot make a mount read-only")?;
    }
    if mounted.spec.root.as_ref().is_some_and(|root| root.readonly) {
        read_only(&mounted.root, false).context(|| "cannot make the root read-only")?;
    }
    Ok(())
}

fn existing(root: &Root, path: &Path) -> Result<Option<OwnedFd>> {
    match root.place(path, Links::Follow) {
        Ok(place) => Ok(Some(place)),
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::NOENT | Errno::NOTDIR)
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::setup(
            format!("cannot open {}", path.display()),
            error,
        )),
    }
}

fn protect_one(place: OwnedFd) -> io::Result<()> {
    let copy = clone_mount(&place, true)?;
    read_only(&copy, true)?;
    attach(copy, place)
}

fn read_only(mount: impl std::os::fd::AsFd, recursive: bool) -> io::Result<()> {
    mount_setattr(
        mount,
        recursive,
        &MountAttr {
            set: Attr::MOUNT_ATTR_RDONLY,
            ..MountAttr::default()
        },
    )
}

/// What is laid over masked paths, made when first needed.
#[derive(Default)]
struct Masks {
    file: Option<OwnedFd>,
    directory: Option<OwnedFd>,
}

impl Masks {
    fn cover(&mut self, place: OwnedFd) -> Result<()> {
        let directory = FileType::from_raw_mode(fstat(&place).context(|| "stat")?.st_mode)
            == FileType::Directory;
        let mask = if directory {
            self.directory()?
        } else {
            self.file()?
        };
        attach(mask, place).context(|| "attach")
    }

    fn file(&mut self) -> Result<OwnedFd> {
        let null = match self.file.take() {
            Some(null) => null,
            None => open_null()?,
        };
        let copy = clone_mount(&null, false).context(|| "copy /dev/null");
        self.file = Some(null);
        copy
    }

    /// All masked directories are one empty file system. A mount can be copied only once it is attached, so the first one is used
    /// itself, and is what the others are copied from.
    fn directory(&mut self) -> Result<OwnedFd> {
        if let Some(empty) = &self.directory {
            return clone_mount(empty, false).context(|| "copy an empty directory");
        }
        let empty = empty_directory().context(|| "make an empty directory")?;
        let copy = empty.try_clone().context(|| "copy a descriptor")?;
        self.directory = Some(empty);
        Ok(copy)
    }
}

/// The host's `/dev/null`, and nothing else that may have been put in its place (CVE-2025-31133).
fn open_null() -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let null = openat(CWD, "/dev/null", flags, Mode::empty()).context(|| "open /dev/null")?;
    let stat = fstat(&null).context(|| "stat /dev/null")?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice
        || stat.st_rdev != makedev(1, 3)
    {
        return Err(Error::new(
            Kind::Setup,
            "the host's /dev/null is not the null device",
        ));
    }
    Ok(null)
}

fn empty_directory() -> io::Result<OwnedFd> {
    let context = FsContext::open("tmpfs")?;
    context.string("nr_blocks", "1")?;
    context.string("nr_inodes", "1")?;
    context.string("mode", "555")?;
    let attributes = Attr::MOUNT_ATTR_RDONLY
        | Attr::MOUNT_ATTR_NOSUID
        | Attr::MOUNT_ATTR_NODEV
        | Attr::MOUNT_ATTR_NOEXEC;
    context.mount(attributes)
}
