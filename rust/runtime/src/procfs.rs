//! Writes to `/proc` that can only land in a real procfs.
//!
//! A path such as `/proc/self/attr/exec` or `/proc/sys/net/…` may have been covered by something else where an attacker chooses
//! the mounts (CVE-2019-16884, CVE-2025-52881). Here the file system is checked once and lookups never cross a mount.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{CWD, Mode, OFlags, PROC_SUPER_MAGIC, ResolveFlags, fstatfs, openat, openat2},
    io::Errno,
    mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen},
};

/// The root of a procfs.
#[derive(Debug)]
pub(crate) struct Procfs(OwnedFd);

impl Procfs {
    /// The one at `/proc`, to be opened before the container's root is entered.
    pub(crate) fn open() -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let root = openat(CWD, "/proc", flags, Mode::empty())?;
        if fstatfs(&root)?.f_type == PROC_SUPER_MAGIC {
            Ok(Self(root))
        } else {
            Self::private()
        }
    }

    /// One of our own that is mounted nowhere, and shows our pid namespace.
    pub(crate) fn private() -> Result<Self, Errno> {
        let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(context.as_fd())?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        fsmount(
            context.as_fd(),
            FsMountFlags::FSMOUNT_CLOEXEC,
            attributes | MountAttrFlags::MOUNT_ATTR_NOEXEC,
        )
        .map(Self)
    }

    /// Opens a file below the root, which nothing may cover.
    pub(crate) fn open_file(
        &self,
        path: impl AsRef<Path>,
        flags: OFlags,
    ) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_MAGICLINKS;
        loop {
            match openat2(
                &self.0,
                path.as_ref(),
                flags | OFlags::CLOEXEC,
                Mode::empty(),
                resolve,
            ) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                other => return other,
            }
        }
    }

    /// Writes a file below the root in one call.
    pub(crate) fn write(&self, path: impl AsRef<Path>, value: &str) -> Result<(), Errno> {
        let path = path.as_ref();
        let file = match self.open_file(path, OFlags::WRONLY) {
            // Where pyctr itself runs in a container, parts of /proc are covered: use one that is not.
            Err(Errno::XDEV | Errno::ROFS) => Self::private()?.open_file(path, OFlags::WRONLY)?,
            other => other?,
        };
        write_once(file, value)
    }

    /// Reads a file below the root.
    pub(crate) fn read(&self, path: impl AsRef<Path>) -> Result<String, Errno> {
        let file = self.open_file(path, OFlags::RDONLY)?;
        io::read_to_string(std::fs::File::from(file))
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }
}

fn write_once(file: OwnedFd, value: &str) -> Result<(), Errno> {
    loop {
        match rustix::io::write(&file, value.as_bytes()) {
            Err(Errno::INTR) => {}
            Ok(written) if written < value.len() => return Err(Errno::IO),
            other => return other.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there() {
        let procfs = Procfs::open().expect("/proc is mounted");
        let status = procfs.read("self/status").expect("readable");
        assert!(status.contains("\nPid:"));
    }

    /// Something else mounted over a file, or over the whole, is not what is written to (CVE-2025-52881).
    #[test]
    fn writes_land_in_procfs_whatever_covers_it() {
        const PARAMETER: &str = "sys/kernel/printk_delay";
        let Ok(value) = std::fs::read_to_string(format!("/proc/{PARAMETER}")) else {
            return;
        };
        let dir = tempfile::tempdir().expect("a directory");
        let fake = dir.path().join("fake");
        std::fs::write(&fake, "untouched").expect("written");
        let cover = |what: &str, with: &Path| rustix::mount::mount_bind(with, what);
        let done = pyctr_sys::mount_private::in_private_mounts(|| {
            cover(&format!("/proc/{PARAMETER}"), &fake)?;
            Procfs::open()?.write(PARAMETER, value.trim())?;
            let read = Procfs::open()?.read(PARAMETER);
            cover("/proc", dir.path())?;
            Procfs::open()?.write(PARAMETER, value.trim())?;
            Ok(read)
        });
        match done {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return,
            done => assert_eq!(done.expect("written"), Err(Errno::XDEV)),
        }
        assert_eq!(std::fs::read_to_string(fake).expect("read"), "untouched");
        assert!(!dir.path().join("sys").exists());
    }

    #[test]
    fn never_leaves() {
        let procfs = Procfs::open().expect("/proc is mounted");
        assert!(
            procfs.read("self/root/etc/passwd").is_err(),
            "magic links are refused"
        );
        assert_eq!(procfs.read("../etc/passwd"), Err(Errno::XDEV));
    }
}
