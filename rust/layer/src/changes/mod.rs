//! What one tree has that another has not: `docker diff`.

mod merged;

use std::os::fd::{AsFd, BorrowedFd};

use rustix::{
    fs::{FileType, Stat},
    io::Errno,
};

use self::merged::{Directory, Shown, Stack, hides_namesake};
use crate::{
    Error, Result,
    look::{Found, names},
    path::{DEEPEST, join},
};

/// How a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// There in both, and not the same.
    Modified,
    /// New.
    Added,
    /// Gone; what was below a directory that is gone is not named.
    Deleted,
}

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub kind: Kind,
    /// Which, with a leading slash.
    pub path: Vec<u8>,
}

/// What the upper directory of an overlay changes in the layers below it (top first), in the order of the paths.
///
/// A directory is modified if its own attributes are, or if something in it was added or removed; so the parents of
/// a file whose contents changed are not named for that alone. The root itself never is.
///
/// # Errors
///
/// [`Error::Io`], also for directories nested deeper than anybody's.
pub fn overlay_changes(upper: BorrowedFd<'_>, lower: &[BorrowedFd<'_>]) -> Result<Vec<Change>> {
    let failed = |error: Errno| Error::io("compare", b"", error);
    let mut compare = Compare {
        new: Stack::new(std::iter::once(upper).chain(lower.iter().copied())),
        old: Stack::new(lower.iter().copied()),
        changes: Vec::new(),
    };
    let new = compare.new.root().map_err(failed)?;
    let old = compare.old.root().map_err(failed)?;
    if let Some(new) = new {
        let upper = open(upper).map_err(failed)?;
        compare.directory(&new, old.as_ref(), Some(&upper), b"", 0)?;
    }
    Ok(compare.finish())
}

/// What makes the tree `new` differ from the tree `old`, in the order of the paths.
///
/// Files are told apart by their attributes: a file of the same size, time, mode and owner is taken as the same.
///
/// # Errors
///
/// As [`overlay_changes`].
pub fn tree_changes(new: BorrowedFd<'_>, old: BorrowedFd<'_>) -> Result<Vec<Change>> {
    let failed = |error: Errno| Error::io("compare", b"", error);
    let mut compare = Compare {
        new: Stack::new([new]),
        old: Stack::new([old]),
        changes: Vec::new(),
    };
    let new = compare.new.root().map_err(failed)?;
    let old = compare.old.root().map_err(failed)?;
    if let Some(new) = new {
        compare.directory(&new, old.as_ref(), None, b"", 0)?;
    }
    Ok(compare.finish())
}

struct Compare<'a> {
    new: Stack<'a>,
    old: Stack<'a>,
    changes: Vec<Change>,
}

impl Compare<'_> {
    /// Compare the children of a directory that shows. `upper` is its part in the overlay's upper layer: what has no
    /// part there is unchanged and not looked at. Gives whether names came or went.
    fn directory(
        &mut self,
        new: &Directory,
        old: Option<&Directory>,
        upper: Option<&Found>,
        path: &[u8],
        depth: usize,
    ) -> Result<bool> {
        let failed = |error: Errno| Error::io("compare", path, error);
        if depth == DEEPEST {
            return Err(failed(Errno::NAMETOOLONG));
        }
        let mut names_changed = false;
        for name in self.candidates(new, old, upper).map_err(failed)? {
            let below = join(path, &name);
            let failed = |error: Errno| Error::io("compare", &below, error);
            let now = self.new.look(new, &name).map_err(failed)?;
            let was = match old {
                Some(old) => self.old.look(old, &name).map_err(failed)?,
                None => None,
            };
            let part = match upper {
                Some(upper) => Found::at(upper.fd.as_fd(), &name).map_err(failed)?,
                None => None,
            };
            names_changed |= self.name(now, was, upper.is_some(), part, &below, depth)?;
        }
        Ok(names_changed)
    }

    /// The names that may have changed, sorted.
    fn candidates(
        &self,
        new: &Directory,
        old: Option<&Directory>,
        upper: Option<&Found>,
    ) -> rustix::io::Result<Vec<Vec<u8>>> {
        // In an overlay only the upper layer's names can differ, unless it hides those below as a whole, or shows a
        // directory that was somewhere else.
        if let (Some(upper), true) = (upper, old.is_some()) {
            if !hides_namesake(upper)? {
                return names(upper.fd.as_fd());
            }
        }
        let mut all = self.new.names(new)?;
        if let Some(old) = old {
            all.extend(self.old.names(old)?);
        }
        Ok(all.into_iter().collect())
    }

    /// Compare what a name was and is; gives whether it came or went.
    fn name(
        &mut self,
        now: Option<Shown>,
        was: Option<Shown>,
        overlay: bool,
        part: Option<Found>,
        path: &[u8],
        depth: usize,
    ) -> Result<bool> {
        let (now, was) = match (now, was) {
            (None, None) => return Ok(false),
            (None, Some(_)) => {
                self.add(Kind::Deleted, path);
                return Ok(true);
            }
            (Some(now), was) => (now, was),
        };
        let at = self.changes.len();
        let added = was.is_none();
        // In an overlay, whatever is in the upper layer and no directory was written to.
        let written = overlay && part.is_some();
        let mut modified = match (&now, &was) {
            (_, None) => false,
            (Shown::Directory(_), Some(Shown::Directory(_))) => differ(now.stat(), was.as_ref()),
            (Shown::Other(_), _) if written => true,
            _ => differ(now.stat(), was.as_ref()),
        };
        if let Shown::Directory(now) = &now {
            let old = match &was {
                Some(Shown::Directory(old)) => Some(old),
                _ => None,
            };
            let upper = part.filter(|part| overlay && part.kind() == FileType::Directory);
            // A directory that only the layers below have, under a name that did not change, is as it was.
            if upper.is_some() || !overlay || added {
                modified |= self.directory(now, old, upper.as_ref(), path, depth + 1)?;
            }
        }
        if added || modified {
            let kind = if added { Kind::Added } else { Kind::Modified };
            self.changes.insert(
                at,
                Change {
                    kind,
                    path: [b"/", path].concat(),
                },
            );
        }
        Ok(added)
    }

    fn add(&mut self, kind: Kind, path: &[u8]) {
        self.changes.push(Change {
            kind,
            path: [b"/", path].concat(),
        });
    }

    fn finish(mut self) -> Vec<Change> {
        self.changes.sort_by(|a, b| a.path.cmp(&b.path));
        self.changes
    }
}

/// Whether attributes differ that a layer would record.
fn differ(now: &Stat, was: Option<&Shown>) -> bool {
    let Some(was) = was.map(Shown::stat) else {
        return true;
    };
    let kind = FileType::from_raw_mode(now.st_mode);
    let time = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
    let sized = kind != FileType::Directory && now.st_size != was.st_size;
    let device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice)
        && now.st_rdev != was.st_rdev;
    let owner = (now.st_uid, now.st_gid) != (was.st_uid, was.st_gid);
    now.st_mode != was.st_mode || owner || time(now) != time(was) || sized || device
}

fn open(fd: BorrowedFd<'_>) -> rustix::io::Result<Found> {
    let flags =
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    Found::of(rustix::fs::openat(
        fd,
        c".",
        flags,
        rustix::fs::Mode::empty(),
    )?)
}
