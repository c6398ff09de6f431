//! How much a tree takes.

use std::{
    collections::HashSet,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, openat, statat},
    io::Errno,
};

use crate::{
    Error, Result,
    look::names,
    path::{DEEPEST, join},
};

/// What a tree takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// The sizes of its regular files: what docker calls the size of a layer.
    pub bytes: u64,
    /// Things in it, directories included.
    pub files: u64,
}

/// Measure the tree `root`; a file with several names counts once.
///
/// # Errors
///
/// [`Error::Io`]. What vanishes meanwhile is not counted.
pub fn usage(root: BorrowedFd<'_>) -> Result<Usage> {
    let mut measure = Measure {
        usage: Usage::default(),
        seen: HashSet::new(),
    };
    measure.directory(root, b"", 0)?;
    Ok(measure.usage)
}

struct Measure {
    usage: Usage,
    seen: HashSet<(u64, u64)>,
}

impl Measure {
    fn directory(&mut self, parent: BorrowedFd<'_>, path: &[u8], depth: usize) -> Result<()> {
        let failed = |error: Errno| Error::io("measure", path, error);
        if depth == DEEPEST {
            return Err(failed(Errno::NAMETOOLONG));
        }
        for name in names(parent).map_err(failed)? {
            let stat = match statat(parent, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                stat => stat.map_err(failed)?,
            };
            let kind = FileType::from_raw_mode(stat.st_mode);
            let shared = kind != FileType::Directory && stat.st_nlink > 1;
            if shared && !self.seen.insert((stat.st_dev, stat.st_ino)) {
                continue;
            }
            self.usage.files += 1;
            match kind {
                FileType::RegularFile => self.usage.bytes += stat.st_size.unsigned_abs(),
                FileType::Directory => self.below(parent, &name, &join(path, &name), depth)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn below(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        depth: usize,
    ) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(parent, name, flags, Mode::empty()) {
            Ok(fd) => self.directory(fd.as_fd(), path, depth + 1),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
            Err(error) => Err(Error::io("measure", path, error)),
        }
    }
}
