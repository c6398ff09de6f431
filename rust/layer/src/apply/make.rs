//! What one entry asks for, made in the tree.

use std::{io::BufRead, os::fd::AsFd};

use rustix::{
    fs::{AtFlags, FileType, OFlags, statat, unlinkat},
    io::Errno,
};

use super::{Apply, data::write_data, options::Whiteouts};
use crate::{
    Error, Result,
    error::show,
    node::{self, Place},
    path::{clean, join, split},
    remove::remove_tree,
    tar::{Entry, Kind, Reader},
};

impl Apply<'_> {
    /// Make `path` (clean) what `entry` says; its data is read from `archive`.
    pub(super) fn make<R: BufRead>(
        &mut self,
        path: &[u8],
        entry: &Entry,
        archive: &mut Reader<R>,
    ) -> Result<()> {
        node::check_xattrs(entry)?;
        if path.is_empty() {
            return self.make_root(entry);
        }
        let (directory, name) = split(path);
        let place = self.places.directory(directory)?;
        let done = match entry.kind {
            Kind::File => self.make_file(&place, path, entry, archive),
            Kind::Directory => self.make_directory(&place, path, entry),
            Kind::HardLink => self.make_hard_link(&place, path, entry),
            Kind::Symlink => {
                self.unless_taken(&place, path, || node::symlink(&place, name, &entry.link))?;
                node::finish_symlink(&place, name, entry)
                    .map_err(|error| Error::io("create", path, error))
            }
            Kind::CharDevice | Kind::BlockDevice if self.options.skip_devices => Ok(0),
            Kind::CharDevice | Kind::BlockDevice | Kind::Fifo => {
                self.make_special(&place, path, entry)
            }
        };
        self.done.skipped_xattrs += done?;
        self.whiteout.note(path);
        Ok(())
    }

    /// The entry `./`: attributes of a layer's root. A copy into a directory leaves that directory as it is.
    fn make_root(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != Kind::Directory {
            return Err(Error::Refused(
                "the archive makes its root something else than a directory".into(),
            ));
        }
        if self.options.whiteouts == Whiteouts::Keep {
            return Ok(());
        }
        let place = self.places.directory(b"")?;
        self.done.skipped_xattrs += self.finish_directory(&place, b".", b"", entry, None)?;
        // Its set-group-id bit counts for what is made next.
        self.places.forget();
        Ok(())
    }

    fn make_file<R: BufRead>(
        &mut self,
        place: &Place,
        path: &[u8],
        entry: &Entry,
        archive: &mut Reader<R>,
    ) -> Result<u64> {
        let (_, name) = split(path);
        let file = self.unless_taken(place, path, || node::file(place, name))?;
        write_data(file.as_fd(), path, entry, archive)?;
        node::finish(file.as_fd(), entry, Some(place))
            .map_err(|error| Error::io("create", path, error))
    }

    fn make_directory(&mut self, place: &Place, path: &[u8], entry: &Entry) -> Result<u64> {
        let (_, name) = split(path);
        let failed = |error: Errno| Error::io("make directory", path, error);
        match node::directory(place, name) {
            Ok(()) => return self.finish_directory(place, name, path, entry, Some(place)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        let stat = statat(&place.fd, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            self.check_kinds(path, "non-directory", "directory")?;
            unlinkat(&place.fd, name, AtFlags::empty()).map_err(failed)?;
            self.places.forget();
            node::directory(place, name).map_err(failed)?;
            if self.whiteout.is_one(&stat) {
                // Removed and made anew: nothing of the old one must show through.
                self.whiteout.hide_below(place, name).map_err(failed)?;
            }
        }
        self.finish_directory(place, name, path, entry, None)
    }

    fn finish_directory(
        &mut self,
        place: &Place,
        name: &[u8],
        path: &[u8],
        entry: &Entry,
        fresh: Option<&Place>,
    ) -> Result<u64> {
        let mode = self.directories.add(path, entry.mtime, entry.mode)?;
        let entry = &Entry {
            mode,
            ..entry.clone()
        };
        let finish = || {
            let fd = node::open(place, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
            node::finish(fd.as_fd(), entry, fresh)
        };
        finish().map_err(|error| Error::io("make directory", path, error))
    }

    fn make_hard_link(&mut self, place: &Place, path: &[u8], entry: &Entry) -> Result<u64> {
        let target = clean(&entry.link)?;
        if target == path {
            return Ok(0);
        }
        let (directory, target_name) = split(&target);
        let (_, name) = split(path);
        let missing = || {
            let (path, target) = (show(path), show(&entry.link));
            Error::Damaged(format!(
                "the archive links \"{path}\" to \"{target}\", which is not there"
            ))
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let from = match self.places.open(directory, flags) {
            Ok(fd) => fd,
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(missing()),
            Err(error) => return Err(Error::io("link to", &target, error)),
        };
        if target_name.is_empty() {
            return Err(missing());
        }
        match self.unless_taken(place, path, || {
            node::hard_link(from.as_fd(), target_name, place, name)
        }) {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(missing())
            }
            result => result.map(|()| 0),
        }
    }

    fn make_special(&mut self, place: &Place, path: &[u8], entry: &Entry) -> Result<u64> {
        let (_, name) = split(path);
        let whiteout = entry.kind == Kind::CharDevice && entry.device == (0, 0);
        if whiteout && self.options.whiteouts.opaque().is_some() {
            let path = show(path);
            return Err(Error::Refused(format!(
                "the archive has \"{path}\" as device 0:0, which would be a whiteout"
            )));
        }
        self.unless_taken(place, path, || node::special(place, name, entry))?;
        let finish = || {
            let fd = node::open(place, name, OFlags::PATH)?;
            node::finish(fd.as_fd(), entry, None)
        };
        finish().map_err(|error| Error::io("create", path, error))
    }

    /// Make something that is no directory; what has the name already is removed first.
    fn unless_taken<T>(
        &mut self,
        place: &Place,
        path: &[u8],
        make: impl Fn() -> rustix::io::Result<T>,
    ) -> Result<T> {
        let result = match make() {
            Err(Errno::EXIST) => {
                self.clear(place, path)?;
                make()
            }
            result => result,
        };
        result.map_err(|error| Error::io("create", path, error))
    }

    fn clear(&mut self, place: &Place, path: &[u8]) -> Result<()> {
        let (_, name) = split(path);
        let failed = |error: Errno| Error::io("replace", path, error);
        let stat = statat(&place.fd, name, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            self.check_kinds(path, "directory", "non-directory")?;
        }
        self.places.forget();
        remove_tree(place.fd.as_fd(), name)
    }

    fn check_kinds(&self, path: &[u8], old: &str, new: &str) -> Result<()> {
        if !self.options.keep_kinds {
            return Ok(());
        }
        let path = show(&join(&self.options.base, path));
        Err(Error::Refused(format!(
            "cannot overwrite {old} \"{path}\" with {new}"
        )))
    }
}
