//! One directory of a hierarchy, held open; its files are read and written relative to it.

use std::{
    ffi::OsString,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{self, Mode, OFlags, RawDir},
    io::{self, Errno},
};

use crate::{Error, Result};

/// The largest file read in one go; longer ones take more calls.
const CHUNK: usize = 4096;

/// An open directory of a hierarchy.
#[derive(Debug)]
pub(crate) struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens an existing directory; the last component may not be a symbolic link.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::open(&path, flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path }),
            Err(errno) => Err(Error::io("open", path, errno)),
        }
    }

    /// Opens a directory below this one.
    pub(crate) fn child(&self, name: impl AsRef<Path>) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = self.path.join(name.as_ref());
        match fs::openat(&self.fd, name.as_ref(), flags, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path }),
            Err(errno) => Err(Error::io("open", path, errno)),
        }
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.fd
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str, flags: OFlags) -> Result<OwnedFd> {
        fs::openat(
            &self.fd,
            name,
            flags | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
        )
        .map_err(|errno| Error::io("open", self.path.join(name), errno))
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        fs::accessat(&self.fd, name, fs::Access::EXISTS, fs::AtFlags::empty()).is_ok()
    }

    /// The whole file, without the final newline.
    pub(crate) fn read(&self, name: &str) -> Result<String> {
        let file = self.file(name, OFlags::RDONLY)?;
        let mut bytes = Vec::new();
        let mut chunk = [0; CHUNK];
        loop {
            match io::read(&file, &mut chunk) {
                Ok(0) => break,
                Ok(n) => bytes.extend_from_slice(&chunk[..n]),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Error::io("read", self.path.join(name), errno)),
            }
        }
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        text.truncate(text.trim_end().len());
        Ok(text)
    }

    /// As [`read`](Self::read); a file that is not there is `None`.
    pub(crate) fn read_if_there(&self, name: &str) -> Result<Option<String>> {
        match self.read(name) {
            Ok(text) => Ok(Some(text)),
            // EOPNOTSUPP: PSI files of a kernel where it is switched off.
            Err(error) if matches!(error.errno(), Some(Errno::NOENT | Errno::OPNOTSUPP)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A file that holds one number; `max` is [`u64::MAX`].
    pub(crate) fn read_number(&self, name: &str) -> Result<u64> {
        let text = self.read(name)?;
        number(&text).ok_or_else(|| Error::parse(self.path.join(name), text))
    }

    /// Writes in one call, as control files want it.
    ///
    /// # Errors
    /// [`Error::Refused`] with the file's name and the value.
    pub(crate) fn write(&self, name: &str, value: &str) -> Result<()> {
        let refused = |errno: Errno| Error::Refused {
            key: name.to_owned(),
            value: value.to_owned(),
            hint: String::new(),
            source: errno.into(),
        };
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = fs::openat(&self.fd, name, flags, Mode::empty()).map_err(refused)?;
        loop {
            match io::write(&file, value.as_bytes()) {
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(refused(errno)),
            }
        }
    }

    /// Names of the files in this directory.
    pub(crate) fn files(&self) -> Result<Vec<OsString>> {
        list(self, Path::new("."), false).map_err(|errno| Error::io("list", &self.path, errno))
    }

    /// Every directory below this one, relative to it, parents first.
    ///
    /// A container may have made them: their names need not be text, and there may be many, one inside of the other.
    pub(crate) fn below(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut next = Some(PathBuf::from("."));
        let mut looked_at = 0;
        while let Some(parent) = next {
            match list(self, &parent, true) {
                Ok(names) => found.extend(names.into_iter().map(|name| parent.join(name))),
                // It has gone meanwhile.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(Error::io("list", self.path.join(parent), errno)),
            }
            next = found.get(looked_at).cloned();
            looked_at += 1;
        }
        Ok(found)
    }

    /// Visits this directory and every one below it, parents first. Directories that vanish meanwhile are passed over.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Dir) -> Result<()>) -> Result<()> {
        visit(self)?;
        for path in self.below()? {
            match self.child(&path).and_then(|child| visit(&child)) {
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        Ok(())
    }
}

/// Names of the directories, or of everything else, in a directory.
fn list(
    top: impl AsFd,
    path: &Path,
    directories: bool,
) -> std::result::Result<Vec<OsString>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = fs::openat(top, path, flags, Mode::empty())?;
    let mut names = Vec::new();
    let mut buffer = Vec::with_capacity(CHUNK);
    let mut entries = RawDir::new(fd, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if (entry.file_type() == fs::FileType::Directory) == directories
            && name != b"."
            && name != b".."
        {
            names.push(OsString::from_vec(name.to_vec()));
        }
    }
    Ok(names)
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A number as control files write it; `max` is [`u64::MAX`].
pub(crate) fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if text == "max" {
        Some(u64::MAX)
    } else {
        text.parse().ok()
    }
}
