//! What overlayfs shows of a stack of layers, computed from the layers themselves: nothing is mounted.
//!
//! Kernel documentation, "Overlay Filesystem": whiteouts, opaque directories, redirects.

use std::{
    collections::BTreeSet,
    os::fd::{AsFd, BorrowedFd},
};

use rustix::{
    fs::{FileType, Mode, OFlags, Stat, openat},
    io::{Errno, Result},
};

use crate::{
    look::{Found, names, xattr},
    path::clean,
};

/// The two families of attributes that overlayfs may keep its notes in.
const FAMILIES: [&str; 2] = ["trusted.overlay.", "user.overlay."];

/// Layers, top first.
pub struct Stack<'a>(Vec<BorrowedFd<'a>>);

/// A directory as it shows: its parts in the layers that have one, top first.
pub struct Directory(Vec<Part>);

struct Part {
    layer: usize,
    found: Found,
}

/// What shows under a name.
pub enum Shown {
    Directory(Directory),
    Other(Found),
}

impl Shown {
    pub fn stat(&self) -> &Stat {
        match self {
            Self::Directory(directory) => directory.stat(),
            Self::Other(found) => &found.stat,
        }
    }
}

impl Directory {
    /// The attributes that show: those of the uppermost part.
    pub fn stat(&self) -> &Stat {
        &self.0[0].found.stat
    }
}

impl<'a> Stack<'a> {
    pub fn new(layers: impl IntoIterator<Item = BorrowedFd<'a>>) -> Self {
        Self(layers.into_iter().collect())
    }

    /// The root directory that shows; None for an empty stack.
    pub fn root(&self) -> Result<Option<Directory>> {
        self.root_from(0)
            .map(|root| (!root.0.is_empty()).then_some(root))
    }

    /// The root of the layers from `start` down. overlayfs merges roots whatever their attributes.
    fn root_from(&self, start: usize) -> Result<Directory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = |(layer, root): (usize, &BorrowedFd<'_>)| {
            let found = Found::of(openat(root, c".", flags, Mode::empty())?)?;
            Ok(Part { layer, found })
        };
        self.0
            .iter()
            .enumerate()
            .skip(start)
            .map(open)
            .collect::<Result<_>>()
            .map(Directory)
    }

    /// The parts of the directory `path` in the layers from `start` down; none if it is not one there.
    fn walk(&self, start: usize, path: &[u8]) -> Result<Vec<Part>> {
        let mut here = self.root_from(start)?;
        for name in path
            .split(|byte| *byte == b'/')
            .filter(|name| !name.is_empty())
        {
            match self.look(&here, name)? {
                Some(Shown::Directory(below)) => here = below,
                _ => return Ok(Vec::new()),
            }
        }
        Ok(here.0)
    }

    /// What shows as `name` in `directory`; None when nothing does.
    pub fn look(&self, directory: &Directory, name: &[u8]) -> Result<Option<Shown>> {
        for (index, part) in directory.0.iter().enumerate() {
            let Some(found) = Found::at(part.found.fd.as_fd(), name)? else {
                continue;
            };
            if is_whiteout(&found)? {
                return Ok(None);
            }
            if found.kind() != FileType::Directory {
                return Ok(Some(Shown::Other(found)));
            }
            return self
                .merge(&directory.0[index..], name, found)
                .map(Shown::Directory)
                .map(Some);
        }
        Ok(None)
    }

    /// Merge the directory `first` (under `name` in the first of `parts`) with what is below it.
    fn merge(&self, parts: &[Part], name: &[u8], first: Found) -> Result<Directory> {
        let mut merged = Vec::new();
        let mut name = name.to_vec();
        let mut first = Some(first);
        for part in parts {
            let found = match first.take() {
                Some(found) => Some(found),
                None => Found::at(part.found.fd.as_fd(), &name)?,
            };
            let Some(found) = found else { continue };
            if found.kind() != FileType::Directory {
                break;
            }
            let opaque = is_opaque(&found)?;
            let redirect = redirect(&found)?;
            merged.push(Part {
                layer: part.layer,
                found,
            });
            match redirect {
                _ if opaque => break,
                None => {}
                Some(Redirect::Sibling(old)) => name = old,
                Some(Redirect::Absolute(old)) => {
                    merged.extend(self.walk(part.layer + 1, &old)?);
                    break;
                }
            }
        }
        Ok(Directory(merged))
    }

    /// The names that show in `directory`, sorted.
    pub fn names(&self, directory: &Directory) -> Result<BTreeSet<Vec<u8>>> {
        let mut shown = BTreeSet::new();
        let mut hidden = BTreeSet::new();
        for part in &directory.0 {
            for name in names(part.found.fd.as_fd())? {
                if shown.contains(&name) || hidden.contains(&name) {
                    continue;
                }
                match Found::at(part.found.fd.as_fd(), &name)? {
                    Some(found) if is_whiteout(&found)? => hidden.insert(name),
                    Some(_) => shown.insert(name),
                    None => false,
                };
            }
        }
        Ok(shown)
    }
}

/// Whether it stands for the absence of its name: a device 0:0, or an empty file with the attribute.
pub fn is_whiteout(found: &Found) -> Result<bool> {
    match found.kind() {
        FileType::CharacterDevice => Ok(found.stat.st_rdev == 0),
        FileType::RegularFile if found.stat.st_size == 0 => {
            let file = found.data()?;
            Ok(note(file.as_fd(), "whiteout")?.is_some())
        }
        _ => Ok(false),
    }
}

/// Whether a directory hides those below it. `x` only says that whiteouts in it may be files with an attribute.
fn is_opaque(directory: &Found) -> Result<bool> {
    Ok(note(directory.fd.as_fd(), "opaque")?.as_deref() == Some(b"y"))
}

/// Whether a directory shows something else than what the layers below have under its name.
pub fn hides_namesake(directory: &Found) -> Result<bool> {
    Ok(is_opaque(directory)? || redirect(directory)?.is_some())
}

/// Where the layers below have what a renamed directory shows.
enum Redirect {
    /// In the same directory under another name.
    Sibling(Vec<u8>),
    /// At this path, clean.
    Absolute(Vec<u8>),
}

fn redirect(directory: &Found) -> Result<Option<Redirect>> {
    let Some(value) = note(directory.fd.as_fd(), "redirect")? else {
        return Ok(None);
    };
    if value.starts_with(b"/") {
        let path = clean(&value).map_err(|_| Errno::INVAL)?;
        return Ok(Some(Redirect::Absolute(path)));
    }
    if value.is_empty() || value.contains(&b'/') || value == b".." {
        return Err(Errno::INVAL);
    }
    Ok(Some(Redirect::Sibling(value)))
}

fn note(fd: BorrowedFd<'_>, name: &str) -> Result<Option<Vec<u8>>> {
    for family in FAMILIES {
        if let Some(value) = xattr(fd, [family, name].concat().as_bytes())? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}
