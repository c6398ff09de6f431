//! Owner, mode, times and extended attributes of what a descriptor refers to, `O_PATH` ones included.
//!
//! Always by descriptor: a name could stand for something else by then.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::{
    fs::{
        AtFlags, CWD, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, chmodat,
        chownat, setxattr, utimensat,
    },
    io::{Errno, Result},
};

use crate::tar::Time;

/// The name under which the kernel lets this process do to an `O_PATH` descriptor what needs a path. It leads to the
/// very inode, also when that is a symbolic link.
fn magic(fd: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}

pub fn chown(fd: BorrowedFd<'_>, uid: u32, gid: u32) -> Result<()> {
    chownat(
        fd,
        c"",
        Some(Uid::from_raw(uid)),
        Some(Gid::from_raw(gid)),
        AtFlags::EMPTY_PATH,
    )
}

pub fn chmod(fd: BorrowedFd<'_>, mode: u32) -> Result<()> {
    let mode = Mode::from_raw_mode(mode & 0o7777);
    match rustix::fs::fchmod(fd, mode) {
        Err(Errno::BADF) => chmodat(CWD, magic(fd), mode, AtFlags::empty()),
        result => result,
    }
}

pub fn set_mtime(fd: BorrowedFd<'_>, mtime: Time) -> Result<()> {
    utimensat(fd, c"", &timestamps(mtime), AtFlags::EMPTY_PATH)
}

/// Modification time as given, access time left alone.
pub fn timestamps(mtime: Time) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime.seconds,
            tv_nsec: mtime.nanos.into(),
        },
    }
}

pub fn set_xattr(fd: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<()> {
    match rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty()) {
        Err(Errno::BADF) => setxattr(magic(fd), name, value, XattrFlags::empty()),
        result => result,
    }
}
