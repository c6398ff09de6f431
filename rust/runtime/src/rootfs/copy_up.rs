//! `tmpcopyup`: a tmpfs begins with what the image has in its place.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use pyctr_sys::root::Root;
use rustix::{
    fs::{
        AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, chownat,
        fchmod, mkdirat, mknodat, openat, readlinkat, statat, symlinkat, utimensat,
    },
    io::Errno,
};

/// Deeper trees are not copied; an image has no good reason for one.
const MAX_DEPTH: usize = 64;

/// Copies what is in the directory `path` below `root` into the mount `to`.
pub(super) fn copy(root: &Root, path: &Path, to: &OwnedFd) -> io::Result<()> {
    let from = root.open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
    directory(&from, to.as_fd(), MAX_DEPTH)
}

fn directory(from: &OwnedFd, to: BorrowedFd<'_>, depth: usize) -> io::Result<()> {
    let depth = depth.checked_sub(1).ok_or(Errno::LOOP)?;
    for entry in Dir::read_from(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            one(
                from,
                to,
                Path::new(name.to_str().map_err(io::Error::other)?),
                depth,
            )?;
        }
    }
    Ok(())
}

fn one(from: &OwnedFd, to: BorrowedFd<'_>, name: &Path, depth: usize) -> io::Result<()> {
    let stat = statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let mode = Mode::from_raw_mode(stat.st_mode & 0o7777);
    let kind = FileType::from_raw_mode(stat.st_mode);
    match kind {
        FileType::Directory => {
            mkdirat(to, name, mode)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let inner = openat(to, name, flags, Mode::empty())?;
            directory(
                &openat(from, name, flags, Mode::empty())?,
                inner.as_fd(),
                depth,
            )?;
        }
        FileType::RegularFile => {
            let read = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let write = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            let mut source = File::from(openat(from, name, read, Mode::empty())?);
            io::copy(&mut source, &mut File::from(openat(to, name, write, mode)?))?;
        }
        FileType::Symlink => symlinkat(readlinkat(from, name, Vec::new())?, to, name)?,
        _ => mknodat(to, name, kind, mode, stat.st_rdev)?,
    }
    inherit(to, name, &stat, kind, mode)
}

/// Owner, mode (which a change of the owner may have cut) and times of the original.
fn inherit(
    to: BorrowedFd<'_>,
    name: &Path,
    stat: &Stat,
    kind: FileType,
    mode: Mode,
) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    chownat(to, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    if matches!(kind, FileType::RegularFile | FileType::Directory) {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        fchmod(openat(to, name, flags, Mode::empty())?, mode)?;
    }
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime,
            tv_nsec: stat.st_atime_nsec as _,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: stat.st_mtime_nsec as _,
        },
    };
    Ok(utimensat(to, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}
