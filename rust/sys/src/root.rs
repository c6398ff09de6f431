//! A directory that nothing looked up in it can leave.
//!
//! Paths that an image or a container controls are resolved by the kernel with `openat2(2)` as if the directory were `/`:
//! absolute symbolic links and `..` stay inside, magic links (`/proc/self/fd/1`) are refused.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::{OsStrExt, OsStringExt},
    },
    path::{Component, Path},
};

use rustix::{
    fs::{self, CWD, FileType, Mode, OFlags, ResolveFlags},
    io::Errno,
};

/// Lookups race with renames anywhere on the machine and then fail with `EAGAIN`; more often than this it is an attack.
const ATTEMPTS: usize = 4096;
/// As many symbolic links as the kernel follows in one lookup.
const MAX_LINKS: usize = 40;

/// How a symbolic link on the way is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Followed, inside the root.
    Follow,
    /// Refused with `ELOOP`, wherever in the path it is.
    Refuse,
}

/// A directory as the root of every lookup.
#[derive(Debug)]
pub struct Root<F = OwnedFd>(F);

impl Root<OwnedFd> {
    /// Opens the directory at `path`, which must be trusted: it is resolved as any path of the host.
    ///
    /// # Errors
    /// As `open(2)` with `O_PATH | O_DIRECTORY`.
    pub fn open_dir(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(fs::openat(CWD, path.as_ref(), flags, Mode::empty())?))
    }
}

impl<F: AsFd> AsFd for Root<F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<F: AsFd> Root<F> {
    /// Makes the directory behind `fd` a root.
    pub fn new(fd: F) -> Self {
        Self(fd)
    }

    /// The descriptor back.
    pub fn into_inner(self) -> F {
        self.0
    }

    /// Opens `path` with `flags` (`O_CLOEXEC` is added); `mode` is for a file that `O_CREAT` makes.
    ///
    /// # Errors
    /// As `openat2(2)`: `ELOOP` for a magic link, `EXDEV` never.
    pub fn open(&self, path: impl AsRef<Path>, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        self.open_with(path.as_ref(), flags, mode, Links::Follow)
    }

    /// As [`Self::open`], with a say in symbolic links.
    ///
    /// # Errors
    /// As [`Self::open`], and `ELOOP` for a symbolic link with [`Links::Refuse`].
    pub fn open_with(
        &self,
        path: &Path,
        flags: OFlags,
        mode: Mode,
        links: Links,
    ) -> io::Result<OwnedFd> {
        let mut resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        if links == Links::Refuse {
            resolve |= ResolveFlags::NO_SYMLINKS;
        }
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        for _ in 0..ATTEMPTS {
            match fs::openat2(self.as_fd(), path, flags | OFlags::CLOEXEC, mode, resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// Opens the place `path` without any right to read or write it (`O_PATH`).
    ///
    /// # Errors
    /// As [`Self::open_with`].
    pub fn place(&self, path: impl AsRef<Path>, links: Links) -> io::Result<OwnedFd> {
        self.open_with(path.as_ref(), OFlags::PATH, Mode::empty(), links)
    }

    /// The directory that holds the last component of `path`, and that component; it is not looked up itself.
    /// The directory serves for one `*at` call with `O_NOFOLLOW` or `AT_SYMLINK_NOFOLLOW`.
    ///
    /// # Errors
    /// As [`Self::open`]; `EINVAL` if the last component is `..` or there is none.
    pub fn parent(&self, path: impl AsRef<Path>) -> io::Result<(OwnedFd, OsString)> {
        let (parent, name) = split(path.as_ref())?;
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        Ok((self.open(parent, flags, Mode::empty())?, name.to_owned()))
    }

    /// As [`Self::parent`], and makes the directories that are missing, with `mode`.
    ///
    /// # Errors
    /// As [`Self::mkdir_all`].
    pub fn make_parent(
        &self,
        path: impl AsRef<Path>,
        mode: Mode,
    ) -> io::Result<(OwnedFd, OsString)> {
        let (parent, name) = split(path.as_ref())?;
        Ok((
            self.mkdir_all(parent, mode, Links::Follow)?,
            name.to_owned(),
        ))
    }

    /// Makes the directory `path` and those above it, with `mode`, unless they exist, and opens it with `O_PATH`.
    /// A dangling symbolic link gets its target made, inside the root.
    ///
    /// # Errors
    /// `ENOTDIR` if something else is in the way, `ELOOP` for too many or refused symbolic links.
    pub fn mkdir_all(
        &self,
        path: impl AsRef<Path>,
        mode: Mode,
        links: Links,
    ) -> io::Result<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        match self.open_with(path.as_ref(), flags, Mode::empty(), links) {
            Err(error) if is(&error, Errno::NOENT) => {}
            result => return result,
        }
        self.walk(links, Last::Directory).run(path.as_ref(), mode)
    }

    /// Opens what is at `path` with `O_PATH`, or makes an empty file there (0644) and directories above it (0755).
    /// A dangling symbolic link gets its target made, inside the root.
    ///
    /// # Errors
    /// As [`Self::mkdir_all`].
    pub fn touch(&self, path: impl AsRef<Path>) -> io::Result<OwnedFd> {
        match self.place(path.as_ref(), Links::Follow) {
            Err(error) if is(&error, Errno::NOENT) => {}
            result => return result,
        }
        self.walk(Links::Follow, Last::File)
            .run(path.as_ref(), Mode::from_raw_mode(0o755))
    }

    fn walk(&self, links: Links, last: Last) -> Walk<'_> {
        Walk {
            root: self.as_fd(),
            below: Vec::new(),
            pending: Vec::new(),
            links: if links == Links::Follow { MAX_LINKS } else { 0 },
            last,
        }
    }

    /// Makes an empty regular file at `path` with `mode`, and missing directories above it with 0755, and opens it with
    /// `O_WRONLY`.
    ///
    /// # Errors
    /// `EEXIST` if anything is there already, a dangling symbolic link included.
    pub fn create_file(&self, path: impl AsRef<Path>, mode: Mode) -> io::Result<OwnedFd> {
        let (parent, name) = self.make_parent(path, Mode::from_raw_mode(0o755))?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(fs::openat(parent, name, flags, mode)?)
    }
}

/// Splits `a/b/c` in `a/b` and `c`.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Ok((parent, name)),
        _ => Err(Errno::INVAL.into()),
    }
}

/// Whether `error` is `errno`.
fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

/// A lookup in steps of one component that makes what is missing. `..` goes back over descriptors that are held, never
/// through the file system, so a directory that is moved meanwhile cannot lead out of the root.
struct Walk<'fd> {
    root: BorrowedFd<'fd>,
    below: Vec<OwnedFd>,
    pending: Vec<OsString>,
    links: usize,
    last: Last,
}

/// What the last component of a [`Walk`] has to be, and is made as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Directory,
    File,
}

impl Walk<'_> {
    fn push(&mut self, path: &Path) {
        let parts = path.components().rev().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            _ => None,
        });
        self.pending.extend(parts);
    }

    fn here(&self) -> BorrowedFd<'_> {
        self.below.last().map_or(self.root, |fd| fd.as_fd())
    }

    fn run(mut self, path: &Path, mode: Mode) -> io::Result<OwnedFd> {
        self.push(path);
        while let Some(name) = self.pending.pop() {
            if name == ".." {
                self.below.pop();
                continue;
            }
            self.step(&name, mode)?;
        }
        match self.below.pop() {
            Some(fd) => Ok(fd),
            None => Ok(self.root.try_clone_to_owned()?),
        }
    }

    fn step(&mut self, name: &OsStr, mode: Mode) -> io::Result<()> {
        let file = self.last == Last::File && self.pending.is_empty();
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut found = fs::openat(self.here(), name, flags, Mode::empty());
        if matches!(found, Err(Errno::NOENT)) {
            self.make(name, file, mode)?;
            found = fs::openat(self.here(), name, flags, Mode::empty());
        }
        let found = found?;
        match FileType::from_raw_mode(fs::fstat(&found)?.st_mode) {
            FileType::Symlink => self.follow(&found)?,
            FileType::Directory => self.below.push(found),
            _ if file => self.below.push(found),
            _ => return Err(Errno::NOTDIR.into()),
        }
        Ok(())
    }

    fn make(&self, name: &OsStr, file: bool, mode: Mode) -> io::Result<()> {
        let made = if file {
            let flags =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            fs::openat(self.here(), name, flags, Mode::from_raw_mode(0o644)).map(drop)
        } else {
            fs::mkdirat(self.here(), name, mode)
        };
        match made {
            // Somebody else made it meanwhile; what it is shows when it is opened.
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn follow(&mut self, link: &OwnedFd) -> io::Result<()> {
        self.links = self.links.checked_sub(1).ok_or(Errno::LOOP)?;
        let target = fs::readlinkat(link, c"", Vec::new())?;
        let target = OsString::from_vec(target.into_bytes());
        if target.as_bytes().starts_with(b"/") {
            self.below.clear();
        }
        self.push(Path::new(&target));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
