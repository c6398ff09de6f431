//! Names that stand for the absence of others: `.wh.<name>`, and `.wh..wh..opq` for all of a directory.
//!
//! OCI image specification, "Image Layer Filesystem Changeset".

use std::{
    collections::HashSet,
    collections::hash_map::RandomState,
    hash::BuildHasher,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, mknodat, statat},
    io::Errno,
};

use super::options::Whiteouts;
use crate::{
    Error, Result,
    error::show,
    meta,
    node::{self, Place},
    path::{join, split},
    remove::remove_tree,
};

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
/// aufs kept its books under these names; they mean nothing to anybody else.
const BOOKKEEPING: &[u8] = b".wh..wh.";

/// What a path in a layer stands for.
#[derive(Debug, PartialEq, Eq)]
pub enum Meaning<'a> {
    /// Itself.
    Plain,
    /// The absence of this name in the same directory.
    Removed(&'a [u8]),
    /// The absence of all that the layers below have in the same directory.
    Opaque,
    /// Nothing: aufs's own.
    Nothing,
}

/// Tell what `path` (clean) stands for.
///
/// # Errors
///
/// [`Error::Refused`] for a whiteout of `.`, `..` or nothing, and for one with something below it.
pub fn meaning(path: &[u8]) -> Result<Meaning<'_>> {
    let (directory, name) = split(path);
    let parts = || directory.split(|byte| *byte == b'/');
    if parts().any(|part| part.starts_with(BOOKKEEPING)) {
        return Ok(Meaning::Nothing);
    }
    let refused = || Error::Refused(format!("the archive has the whiteout \"{}\"", show(path)));
    if parts().any(|part| part.starts_with(PREFIX)) {
        return Err(refused());
    }
    match name.strip_prefix(PREFIX) {
        None => Ok(Meaning::Plain),
        Some(_) if name == OPAQUE => Ok(Meaning::Opaque),
        Some(b"" | b"." | b"..") => Err(refused()),
        Some(_) if name.starts_with(BOOKKEEPING) => Ok(Meaning::Nothing),
        Some(target) => Ok(Meaning::Removed(target)),
    }
}

/// Carries whiteouts out in one of the forms.
pub struct Whiteout {
    form: Whiteouts,
    /// Hashes of what this layer made, in the form where a whiteout must spare it. The hash is keyed at random, so
    /// nobody can make an archive whose names collide.
    made: HashSet<u64>,
    hasher: RandomState,
}

impl Whiteout {
    pub fn new(form: Whiteouts) -> Self {
        Self {
            form,
            made: HashSet::new(),
            hasher: RandomState::new(),
        }
    }

    /// This layer made `path`.
    pub fn note(&mut self, path: &[u8]) {
        if self.form == Whiteouts::Remove {
            self.made.insert(self.hasher.hash_one(path));
        }
    }

    fn is_made(&self, path: &[u8]) -> bool {
        self.made.contains(&self.hasher.hash_one(path))
    }

    /// Whether `stat` is of a whiteout that an earlier entry of this layer left.
    pub fn is_one(&self, stat: &Stat) -> bool {
        let device =
            FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0;
        device && self.form.opaque().is_some()
    }

    /// Make `name` in `directory` absent as far as the layers below have it.
    pub fn remove(&self, place: &Place, directory: &[u8], name: &[u8]) -> Result<()> {
        let path = join(directory, name);
        let failed = |error: Errno| Error::io("white out", &path, error);
        if self.form == Whiteouts::Remove {
            // A layer's whiteout speaks of the layers below it only.
            return if self.is_made(&path) {
                Ok(())
            } else {
                remove_tree(place.fd.as_fd(), name)
            };
        }
        match mknodat(&place.fd, name, FileType::CharacterDevice, Mode::empty(), 0) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => {
                let stat = statat(&place.fd, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    self.hide_below(place, name).map_err(failed)?;
                }
                Ok(())
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Make all of `directory` absent as far as the layers below have it.
    pub fn empty(&self, place: &Place, directory: &[u8]) -> Result<()> {
        let failed = |error: Errno| Error::io("white out", directory, error);
        if let Some(attribute) = self.form.opaque() {
            return meta::set_xattr(place.fd.as_fd(), attribute.as_bytes(), b"y").map_err(failed);
        }
        let fd = node::open(place, b".", OFlags::RDONLY | OFlags::DIRECTORY).map_err(failed)?;
        let mut listing = Dir::read_from(&fd).map_err(failed)?;
        while let Some(entry) = listing.read() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                self.spare(fd.as_fd(), &join(directory, name), name)?;
            }
        }
        Ok(())
    }

    /// Remove `path` unless this layer made it; what is below a directory of this layer is looked at in turn.
    fn spare(&self, parent: BorrowedFd<'_>, path: &[u8], name: &[u8]) -> Result<()> {
        if !self.is_made(path) {
            return remove_tree(parent, name);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(parent, name, flags, Mode::empty()) {
            Ok(fd) => {
                let place = Place::new(fd).map_err(|error| Error::io("white out", path, error))?;
                self.empty(&place, path)
            }
            Err(Errno::NOTDIR | Errno::LOOP) => Ok(()),
            Err(error) => Err(Error::io("white out", path, error)),
        }
    }

    /// Make a directory of this layer hide those of the same name below it.
    pub fn hide_below(&self, place: &Place, name: &[u8]) -> rustix::io::Result<()> {
        let Some(attribute) = self.form.opaque() else {
            return Ok(());
        };
        let fd = node::open(place, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
        meta::set_xattr(fd.as_fd(), attribute.as_bytes(), b"y")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        assert_eq!(meaning(b"a/b").expect("plain"), Meaning::Plain);
        assert_eq!(
            meaning(b"a/.wh.b").expect("whiteout"),
            Meaning::Removed(b"b")
        );
        assert_eq!(meaning(b".wh..wh..opq").expect("opaque"), Meaning::Opaque);
        assert_eq!(meaning(b".wh..wh.aufs").expect("aufs"), Meaning::Nothing);
        assert_eq!(
            meaning(b".wh..wh.plnk/1.2").expect("aufs"),
            Meaning::Nothing
        );
    }

    #[test]
    fn whiteouts_of_the_directory_itself_are_refused() {
        for bad in [&b"a/.wh."[..], b".wh..", b"a/.wh...", b".wh.a/b"] {
            assert!(meaning(bad).is_err(), "{}", show(bad));
        }
    }
}
