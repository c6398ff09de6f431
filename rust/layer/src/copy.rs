//! A directory tree copied: for drivers without layers, and for what an image has where a volume is mounted.

use std::{
    collections::HashMap,
    ffi::OsStr,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
};

use pyctr_sys::root::Root;
use rustix::{
    fs::{OFlags, SeekFrom, copy_file_range, ftruncate, ioctl_ficlone, seek},
    io::Errno,
};

use crate::{
    Error, Result,
    look::{Found, Xattrs, names},
    node::{self, Place},
    path::{DEEPEST, join},
    stream::Cancel,
    tar::{Entry, Kind},
};

/// Copy everything in the directory `from` into the directory `to`, which must not have anything of the same name,
/// and give `to` the attributes of `from`. Shares the data where the file system can, and keeps holes and hard links.
///
/// # Errors
///
/// [`Error::Io`], with `EEXIST` if a name is taken; [`Error::Cancelled`].
pub fn copy_tree(from: BorrowedFd<'_>, to: BorrowedFd<'_>, cancel: &Cancel) -> Result<()> {
    let open = || Found::of(from.try_clone_to_owned()?).map_err(std::io::Error::from);
    let from = open().map_err(|error| Error::io("read", b"", error))?;
    let to = to
        .try_clone_to_owned()
        .map_err(|error| Error::io("copy to", b"", error))?;
    Copy {
        links: HashMap::new(),
        top: to.as_fd(),
        cancel,
    }
    .directory(&from, to.as_fd(), b"", 0)
}

struct Copy<'a> {
    /// The first copy of each file that has several names.
    links: HashMap<(u64, u64), Vec<u8>>,
    top: BorrowedFd<'a>,
    cancel: &'a Cancel,
}

impl Copy<'_> {
    fn directory(
        &mut self,
        from: &Found,
        to: BorrowedFd<'_>,
        path: &[u8],
        depth: usize,
    ) -> Result<()> {
        let failed = |error: Errno| Error::io("copy", path, error);
        if depth == DEEPEST {
            return Err(failed(Errno::NAMETOOLONG));
        }
        let to = to
            .try_clone_to_owned()
            .map_err(|error| Error::io("copy", path, error))?;
        let place = Place::new(to).map_err(failed)?;
        for name in names(from.fd.as_fd()).map_err(failed)? {
            if self.cancel.is_stopped() {
                return Err(Error::Cancelled);
            }
            let below = join(path, &name);
            let failed = |error: Errno| Error::io("copy", &below, error);
            let Some(found) = Found::at(from.fd.as_fd(), &name).map_err(failed)? else {
                continue;
            };
            let Some(entry) = found.entry(&name, Xattrs::All).map_err(failed)? else {
                continue;
            };
            if entry.kind == Kind::Directory {
                let made = make_directory(&place, &name).map_err(failed)?;
                self.directory(&found, made.as_fd(), &below, depth + 1)?;
            } else {
                self.leaf(&found, &entry, &place, &below).map_err(failed)?;
            }
        }
        // Last: every entry made above changed the time.
        let entry = from
            .entry(path, Xattrs::All)
            .map_err(failed)?
            .ok_or_else(|| failed(Errno::NOTDIR))?;
        node::finish(place.fd.as_fd(), &entry, None)
            .map(drop)
            .map_err(failed)
    }

    fn leaf(
        &mut self,
        found: &Found,
        entry: &Entry,
        place: &Place,
        path: &[u8],
    ) -> rustix::io::Result<()> {
        let name = &entry.path;
        if let Some(inode) = found.shared_inode() {
            if let Some(first) = self.links.get(&inode) {
                // By the root type: somebody may be at work in a volume that is copied to.
                let (directory, target) = Root::new(self.top)
                    .parent(OsStr::from_bytes(first))
                    .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
                return node::hard_link(directory.as_fd(), target.as_bytes(), place, name);
            }
            self.links.insert(inode, path.to_vec());
        }
        match entry.kind {
            Kind::File => {
                let file = node::file(place, name)?;
                copy_data(&found.data()?, &file, entry.size)?;
                node::finish(file.as_fd(), entry, Some(place))?;
            }
            Kind::Symlink => {
                node::symlink(place, name, &entry.link)?;
                node::finish_symlink(place, name, entry)?;
            }
            _ => {
                node::special(place, name, entry)?;
                node::finish(node::open(place, name, OFlags::PATH)?.as_fd(), entry, None)?;
            }
        }
        Ok(())
    }
}

fn make_directory(place: &Place, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    node::directory(place, name)?;
    node::open(place, name, OFlags::RDONLY | OFlags::DIRECTORY)
}

fn copy_data(from: &OwnedFd, to: &OwnedFd, size: u64) -> rustix::io::Result<()> {
    if size == 0 || ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    ftruncate(to, size)?;
    let mut start = 0;
    while start < size {
        let data = match seek(from, SeekFrom::Data(start)) {
            Err(Errno::NXIO) => break,
            data => data?,
        };
        let end = seek(from, SeekFrom::Hole(data))?.min(size);
        copy_range(from, to, data, end)?;
        start = end.max(data + 1);
    }
    Ok(())
}

fn copy_range(from: &OwnedFd, to: &OwnedFd, mut at: u64, end: u64) -> rustix::io::Result<()> {
    while at < end {
        let (mut source, mut target) = (at, at);
        let length = usize::try_from(end - at).unwrap_or(usize::MAX);
        match copy_file_range(from, Some(&mut source), to, Some(&mut target), length) {
            // It shrank meanwhile: what is missing stays a hole.
            Ok(0) => return Ok(()),
            Ok(count) => at += count as u64,
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                return copy_by_hand(from, to, at, end);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// For two file systems that know nothing of each other.
fn copy_by_hand(from: &OwnedFd, to: &OwnedFd, mut at: u64, end: u64) -> rustix::io::Result<()> {
    let mut buffer = vec![0u8; 128 << 10];
    while at < end {
        let most = buffer
            .len()
            .min(usize::try_from(end - at).unwrap_or(usize::MAX));
        let count = rustix::io::pread(from, &mut buffer[..most], at)?;
        if count == 0 {
            break;
        }
        let mut data = &buffer[..count];
        while !data.is_empty() {
            let count = rustix::io::pwrite(to, data, at)?;
            data = &data[count..];
            at += count as u64;
        }
    }
    Ok(())
}
