//! Finds the directory that an entry goes in, and remembers the last ones.

use std::{
    collections::HashMap,
    ffi::OsStr,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    rc::Rc,
};

use pyctr_sys::root::{Links, Root};
use rustix::{
    fs::{FileType, Mode, OFlags, Stat, fstat},
    io::Errno,
};

use super::options::ApplyOptions;
use crate::{
    Error, Result, meta,
    node::Place,
    path::{join, split},
};

/// Directories kept open. Archives go through a tree in order, so few are enough.
const KEPT: usize = 32;
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY);

/// The tree that an archive is applied to.
pub struct Places<'a> {
    root: Root<BorrowedFd<'a>>,
    base: Vec<u8>,
    lower: Vec<Root<BorrowedFd<'a>>>,
    /// By path in the archive. Whoever removes or renames a directory or a link must call [`Places::forget`].
    kept: HashMap<Vec<u8>, Rc<Place>>,
}

impl<'a> Places<'a> {
    pub fn new(root: BorrowedFd<'a>, options: &'a ApplyOptions) -> Self {
        let lower = options
            .lower
            .iter()
            .map(|fd| Root::new(fd.as_fd()))
            .collect();
        Self {
            root: Root::new(root),
            base: options.base.clone(),
            lower,
            kept: HashMap::new(),
        }
    }

    /// The directory `path` (clean), made with those above it if missing.
    pub fn directory(&mut self, path: &[u8]) -> Result<Rc<Place>> {
        if let Some(place) = self.kept.get(path) {
            return Ok(Rc::clone(place));
        }
        let fd = match self.open(path, DIRECTORY) {
            Err(Errno::NOENT) if !path.is_empty() => self.make(path)?,
            result => result.map_err(|error| Error::io("go into", path, error))?,
        };
        let place = Place::new(fd).map_err(|error| Error::io("examine", path, error))?;
        let place = Rc::new(place);
        if self.kept.len() >= KEPT {
            self.kept.clear();
        }
        self.kept.insert(path.to_vec(), Rc::clone(&place));
        Ok(place)
    }

    /// Open `path` (clean); symbolic links on the way and at the end are followed, inside the root.
    pub fn open(&self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let below = join(&self.base, path);
        self.root
            .open(OsStr::from_bytes(&below), flags, Mode::empty())
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }

    /// Directories were removed or links made: what is kept may no longer be what the paths lead to.
    pub fn forget(&mut self) {
        self.kept.clear();
    }

    /// Make the directory `path` and the missing ones above it, one at a time.
    fn make(&mut self, path: &[u8]) -> Result<OwnedFd> {
        let (above, _) = split(path);
        if !above.is_empty() {
            self.directory(above)?;
        }
        let below = join(&self.base, path);
        let mode = Mode::from_raw_mode(0o755);
        let made = self
            .root
            .mkdir_all(OsStr::from_bytes(&below), mode, Links::Follow)
            .map_err(|error| Error::io("make directory", path, error))?;
        self.dress(&made, path)
            .map_err(|error| Error::io("make directory", path, error))?;
        Ok(made)
    }

    /// Give a directory that the archive did not name the attributes it has in the layers below.
    fn dress(&self, made: &OwnedFd, path: &[u8]) -> rustix::io::Result<()> {
        match self.lower.iter().find_map(|layer| model(layer, path)) {
            Some(stat) => {
                meta::chown(made.as_fd(), stat.st_uid, stat.st_gid)?;
                meta::chmod(made.as_fd(), stat.st_mode)?;
                let time = crate::tar::Time {
                    seconds: stat.st_mtime,
                    nanos: stat.st_mtime_nsec as u32,
                };
                meta::set_mtime(made.as_fd(), time)
            }
            // The mode of a directory made here went through the umask.
            None => meta::chmod(made.as_fd(), 0o755),
        }
    }
}

fn model(layer: &Root<BorrowedFd<'_>>, path: &[u8]) -> Option<Stat> {
    let fd = layer.place(OsStr::from_bytes(path), Links::Follow).ok()?;
    let stat = fstat(fd).ok()?;
    (FileType::from_raw_mode(stat.st_mode) == FileType::Directory).then_some(stat)
}
