//! The new mount API: what `rustix` lacks (`mount_setattr(2)`), and a file system context that keeps the kernel's own words
//! for an error.
//!
//! Every mount here is a file descriptor before it is a place in the tree, so no path inside a container is ever
//! handed to the kernel as a string.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
};

/// What [`mount_setattr`] changes; the default changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct MountAttr<'fd> {
    /// Attributes to switch on.
    pub set: MountAttrFlags,
    /// Attributes to switch off first. For any change of the access time policy it must hold `MOUNT_ATTR__ATIME`.
    pub clear: MountAttrFlags,
    /// A new propagation type, one of shared, private, slave (`DOWNSTREAM`) and unbindable; empty keeps the old.
    pub propagation: MountPropagationFlags,
    /// Map the ids of the mount by this user namespace.
    pub userns: Option<BorrowedFd<'fd>>,
}

impl Default for MountAttr<'_> {
    fn default() -> Self {
        Self {
            set: MountAttrFlags::empty(),
            clear: MountAttrFlags::empty(),
            propagation: MountPropagationFlags::empty(),
            userns: None,
        }
    }
}

impl MountAttr<'_> {
    /// Whether nothing would change, so that the call can be saved.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
            && self.clear.is_empty()
            && self.propagation.is_empty()
            && self.userns.is_none()
    }
}

/// `struct mount_attr` of `linux/mount.h`.
#[repr(C)]
struct RawMountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Changes the mount behind `mount`, and with `recursive` all mounts below it, all or none: `mount_setattr(2)`.
///
/// # Errors
/// `EPERM` for an attribute that is locked in this user namespace, `EINVAL` if `mount` is not the root of a mount or its
/// file system cannot be id-mapped, `EBUSY` if it is open for writing and should become read-only.
pub fn mount_setattr(mount: impl AsFd, recursive: bool, attr: &MountAttr<'_>) -> io::Result<()> {
    let mut set = attr.set;
    let mut userns_fd = 0;
    if let Some(userns) = attr.userns {
        set |= MountAttrFlags::MOUNT_ATTR_IDMAP;
        userns_fd = userns.as_raw_fd() as u64;
    }
    let raw = RawMountAttr {
        attr_set: set.bits().into(),
        attr_clr: attr.clear.bits().into(),
        propagation: attr.propagation.bits().into(),
        userns_fd,
    };
    let mut flags = libc::AT_EMPTY_PATH;
    if recursive {
        flags |= libc::AT_RECURSIVE;
    }
    // SAFETY: the path is a C string, `raw` has the layout and size that are announced, and the kernel only reads both.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const raw,
            size_of::<RawMountAttr>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// A detached copy of the mount (with `recursive`, of all mounts) at the place that `place` has open.
///
/// # Errors
/// As `open_tree(2)`; `EINVAL` if the place is in another mount namespace or unbindable.
pub fn clone_mount(place: impl AsFd, recursive: bool) -> io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    Ok(rustix::mount::open_tree(place, c"", flags)?)
}

/// Attaches the detached `mount` on the place that `target` has open; both by descriptor, nothing is looked up.
///
/// # Errors
/// As `move_mount(2)`; `ENOTDIR` if one is a directory and the other is not.
pub fn attach(mount: impl AsFd, target: impl AsFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(rustix::mount::move_mount(mount, c"", target, c"", flags)?)
}

/// A file system being configured: `fsopen(2)` up to `fsmount(2)`.
#[derive(Debug)]
pub struct FsContext(OwnedFd);

impl FsContext {
    /// Begins a file system of the type `kind`, such as `tmpfs`.
    ///
    /// # Errors
    /// `ENODEV` if the kernel does not know the type, `EPERM` without `CAP_SYS_ADMIN` in the mount namespace.
    pub fn open(kind: &str) -> io::Result<Self> {
        Ok(Self(rustix::mount::fsopen(
            kind,
            FsOpenFlags::FSOPEN_CLOEXEC,
        )?))
    }

    /// Sets an option without a value.
    ///
    /// # Errors
    /// Those of the file system; [`Self::message`] has its words.
    pub fn flag(&self, key: &str) -> io::Result<()> {
        Ok(rustix::mount::fsconfig_set_flag(self.0.as_fd(), key)?)
    }

    /// Sets an option to a text of at most 255 bytes.
    ///
    /// # Errors
    /// Those of the file system, and `EINVAL` for a longer text.
    pub fn string(&self, key: &str, value: impl AsRef<Path>) -> io::Result<()> {
        Ok(rustix::mount::fsconfig_set_string(
            self.0.as_fd(),
            key,
            value.as_ref(),
        )?)
    }

    /// Sets an option to an open file.
    ///
    /// # Errors
    /// Those of the file system; `EINVAL` if it takes no descriptor there.
    pub fn fd(&self, key: &str, value: impl AsFd) -> io::Result<()> {
        Ok(rustix::mount::fsconfig_set_fd(self.0.as_fd(), key, value)?)
    }

    /// Makes the superblock and a detached mount of it with `attributes`.
    ///
    /// # Errors
    /// Those of the file system; [`Self::message`] has its words.
    pub fn mount(&self, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
        rustix::mount::fsconfig_create(self.0.as_fd())?;
        let flags = FsMountFlags::FSMOUNT_CLOEXEC;
        Ok(rustix::mount::fsmount(self.0.as_fd(), flags, attributes)?)
    }

    /// What the file system said about the last errors and warnings, or an empty text.
    #[must_use]
    pub fn message(&self) -> String {
        let mut lines = Vec::new();
        let mut buffer = [0; 1024];
        // Each read gives one message, "<level> <text>"; ENODATA ends them.
        while let Ok(length) = rustix::io::read(self.0.as_fd(), &mut buffer) {
            let line = String::from_utf8_lossy(&buffer[..length]);
            let text = line.get(2..).unwrap_or_default().trim();
            lines.push(text.to_owned());
            if length == 0 || lines.len() == 8 {
                break;
            }
        }
        lines.join(", ")
    }
}
