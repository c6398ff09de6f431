//! What lies in a directory tree, read as the entries of an archive.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::{
    fs::{
        CWD, Dir, FileType, Mode, OFlags, Stat, fgetxattr, flistxattr, flistxattr_query, fstat,
        major, minor, openat, readlinkat,
    },
    io::Errno,
};

use crate::tar::{Entry, Kind, Time};

const NOFOLLOW: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC);
/// The kernel's limits for the list of attributes and for the value of one (xattr(7)).
const MOST_XATTRS: usize = 64 << 10;

/// Which extended attributes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Xattrs {
    /// Those that mean the same on another machine: capabilities, access lists, users' own.
    Portable,
    /// All but overlayfs's instructions.
    All,
}

impl Xattrs {
    fn wants(self, name: &[u8]) -> bool {
        let starts = |prefix: &[u8]| name.starts_with(prefix);
        let overlay = starts(b"trusted.overlay.") || starts(b"user.overlay.");
        let portable =
            starts(b"user.") || starts(b"system.posix_acl_") || name == b"security.capability";
        !overlay && (self == Self::All || portable)
    }
}

/// Something in a directory, held open.
pub struct Found {
    /// `O_PATH`, except for a directory, which can be listed.
    pub fd: OwnedFd,
    pub stat: Stat,
}

impl Found {
    /// Open `name` in `parent`; None when it is gone.
    pub fn at(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<Option<Self>> {
        let directory = OFlags::RDONLY | OFlags::DIRECTORY | NOFOLLOW;
        let opened = match openat(parent, name, OFlags::PATH | NOFOLLOW, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            fd => Self::of(fd?)?,
        };
        if opened.kind() != FileType::Directory {
            return Ok(Some(opened));
        }
        Self::of(openat(&opened.fd, c".", directory, Mode::empty())?).map(Some)
    }

    /// What `fd` refers to.
    pub fn of(fd: OwnedFd) -> rustix::io::Result<Self> {
        let stat = fstat(&fd)?;
        Ok(Self { fd, stat })
    }

    pub fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    /// Identity, and whether it may have other names.
    pub fn shared_inode(&self) -> Option<(u64, u64)> {
        let shared = self.kind() != FileType::Directory && self.stat.st_nlink > 1;
        shared.then_some((self.stat.st_dev, self.stat.st_ino))
    }

    /// Open a regular file's data. Its name is not looked up again: what has it by now might be a device.
    pub fn data(&self) -> rustix::io::Result<OwnedFd> {
        let path = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    }

    /// The header of an archive entry; None for a socket, which no archive can hold.
    pub fn entry(&self, path: &[u8], xattrs: Xattrs) -> rustix::io::Result<Option<Entry>> {
        let kind = match self.kind() {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Symlink,
            FileType::CharacterDevice => Kind::CharDevice,
            FileType::BlockDevice => Kind::BlockDevice,
            FileType::Fifo => Kind::Fifo,
            _ => return Ok(None),
        };
        let mut entry = Entry::new(path, kind);
        entry.mode = self.stat.st_mode & 0o7777;
        (entry.uid, entry.gid) = (self.stat.st_uid, self.stat.st_gid);
        entry.mtime = Time {
            seconds: self.stat.st_mtime,
            nanos: self.stat.st_mtime_nsec as u32,
        };
        match kind {
            Kind::File => {
                entry.size = self.stat.st_size.unsigned_abs();
                let data = self.data()?;
                entry.xattrs = read_xattrs(data.as_fd(), xattrs)?;
            }
            Kind::Directory => entry.xattrs = read_xattrs(self.fd.as_fd(), xattrs)?,
            Kind::Symlink => entry.link = readlinkat(&self.fd, c"", Vec::new())?.into_bytes(),
            Kind::CharDevice | Kind::BlockDevice => {
                entry.device = (major(self.stat.st_rdev), minor(self.stat.st_rdev));
            }
            _ => {}
        }
        Ok(Some(entry))
    }
}

/// The attributes of an open file, sorted by name.
fn read_xattrs(fd: BorrowedFd<'_>, which: Xattrs) -> rustix::io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut found = Vec::new();
    for name in list_xattrs(fd)? {
        if which.wants(&name) {
            if let Some(value) = xattr(fd, &name)? {
                found.push((name, value));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn list_xattrs(fd: BorrowedFd<'_>) -> rustix::io::Result<Vec<Vec<u8>>> {
    // Almost no file has any: ask for the size, which needs no buffer, first.
    match flistxattr_query(fd) {
        Ok(0) | Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    let mut names = vec![0u8; MOST_XATTRS];
    let length = flistxattr(fd, &mut names[..])?;
    let names = names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names.map(<[u8]>::to_vec).collect())
}

/// The value of one attribute; None when it does not have it.
pub fn xattr(fd: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<Option<Vec<u8>>> {
    let mut value = vec![0u8; 256];
    loop {
        match fgetxattr(fd, name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                return Ok(Some(value));
            }
            Err(Errno::RANGE) if value.len() < MOST_XATTRS => value.resize(MOST_XATTRS, 0),
            Err(Errno::NODATA | Errno::NOTSUP) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// The names in an open directory, sorted.
pub fn names(directory: BorrowedFd<'_>) -> rustix::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    let mut listing = Dir::read_from(directory)?;
    while let Some(entry) = listing.read() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(name.to_vec());
        }
    }
    names.sort_unstable();
    Ok(names)
}
