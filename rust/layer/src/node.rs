//! Makes what one entry describes, at a name in an open directory, and gives it its attributes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::{
    fs::{
        AtFlags, FileType, Gid, Mode, OFlags, Uid, chownat, fstat, linkat, makedev, mkdirat,
        mknodat, openat, symlinkat, utimensat,
    },
    io::Errno,
};

use crate::{
    Error, Result,
    error::show,
    meta,
    tar::{Entry, Kind},
};

const NOFOLLOW: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);

/// An open directory that things are made in.
pub struct Place {
    /// It; `O_PATH` is enough.
    pub fd: OwnedFd,
    /// What is made in it gets its group.
    setgid: bool,
}

impl Place {
    /// Look at the directory behind `fd`.
    pub fn new(fd: OwnedFd) -> rustix::io::Result<Self> {
        let setgid = fstat(&fd)?.st_mode & Mode::SGID.bits() != 0;
        Ok(Self { fd, setgid })
    }
}

/// Prefixes of attributes that overlayfs reads as instructions.
const OVERLAY: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];

/// Refuse attributes that would make overlayfs show what lies outside the layer.
pub fn check_xattrs(entry: &Entry) -> Result<()> {
    let instruction = |name: &[u8]| OVERLAY.iter().any(|prefix| name.starts_with(prefix));
    match entry.xattrs.iter().find(|(name, _)| instruction(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let (path, name) = (show(&entry.path), show(name));
            Err(Error::Refused(format!(
                "the archive sets the attribute {name} of \"{path}\""
            )))
        }
    }
}

/// A new empty file, open for writing; `EEXIST` if the name is taken.
pub fn file(place: &Place, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | NOFOLLOW;
    openat(&place.fd, name, flags, Mode::RUSR | Mode::WUSR)
}

/// A new directory, closed to others until its attributes are set; `EEXIST` if the name is taken.
pub fn directory(place: &Place, name: &[u8]) -> rustix::io::Result<()> {
    mkdirat(&place.fd, name, Mode::RWXU)
}

/// Another name for what `target` is in `from`.
pub fn hard_link(
    from: BorrowedFd<'_>,
    target: &[u8],
    place: &Place,
    name: &[u8],
) -> rustix::io::Result<()> {
    linkat(from, target, &place.fd, name, AtFlags::empty())
}

pub fn symlink(place: &Place, name: &[u8], target: &[u8]) -> rustix::io::Result<()> {
    symlinkat(target, &place.fd, name)
}

/// A device or a pipe: made, never opened.
pub fn special(place: &Place, name: &[u8], entry: &Entry) -> rustix::io::Result<()> {
    let kind = match entry.kind {
        Kind::CharDevice => FileType::CharacterDevice,
        Kind::BlockDevice => FileType::BlockDevice,
        _ => FileType::Fifo,
    };
    let device = makedev(entry.device.0, entry.device.1);
    mknodat(&place.fd, name, kind, Mode::RUSR | Mode::WUSR, device)
}

/// Open what was just made, to work on it and nothing else.
pub fn open(place: &Place, name: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
    openat(&place.fd, name, flags | NOFOLLOW, Mode::empty())
}

/// Owner, attributes, mode and times, in the order in which none undoes another: chown drops set-id bits and
/// capabilities. `fresh` says that this process made it just now. Gives the number of attributes left out.
pub fn finish(fd: BorrowedFd<'_>, entry: &Entry, fresh: Option<&Place>) -> rustix::io::Result<u64> {
    let (uid, gid) = (entry.uid, entry.gid);
    let is_ours = fresh.is_some_and(|place| !place.setgid)
        && uid == rustix::process::geteuid().as_raw()
        && gid == rustix::process::getegid().as_raw();
    if !is_ours {
        meta::chown(fd, uid, gid)?;
    }
    let skipped = set_xattrs(fd, entry)?;
    meta::chmod(fd, entry.mode)?;
    meta::set_mtime(fd, entry.mtime)?;
    Ok(skipped)
}

/// The same for a symbolic link, which has no mode.
pub fn finish_symlink(place: &Place, name: &[u8], entry: &Entry) -> rustix::io::Result<u64> {
    let (uid, gid) = (Uid::from_raw(entry.uid), Gid::from_raw(entry.gid));
    chownat(
        &place.fd,
        name,
        Some(uid),
        Some(gid),
        AtFlags::SYMLINK_NOFOLLOW,
    )?;
    let skipped = if entry.xattrs.is_empty() {
        0
    } else {
        let link = open(place, name, OFlags::PATH)?;
        set_xattrs(link.as_fd(), entry)?
    };
    utimensat(
        &place.fd,
        name,
        &meta::timestamps(entry.mtime),
        AtFlags::SYMLINK_NOFOLLOW,
    )?;
    Ok(skipped)
}

fn set_xattrs(fd: BorrowedFd<'_>, entry: &Entry) -> rustix::io::Result<u64> {
    let mut skipped = 0;
    for (name, value) in &entry.xattrs {
        match meta::set_xattr(fd, name, value) {
            Ok(()) => {}
            Err(Errno::NOTSUP) => skipped += 1,
            // Attributes of users are for files and directories; labels mean something to their own system only.
            Err(Errno::PERM) if name.starts_with(b"user.") => skipped += 1,
            Err(_) if name.starts_with(b"security.selinux") => skipped += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(skipped)
}
