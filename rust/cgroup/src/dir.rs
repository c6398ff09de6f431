//! One directory of a hierarchy, held open; its files are read and written relative to it.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
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
    pub(crate) fn child(&self, name: &str) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = self.path.join(name);
        match fs::openat(&self.fd, name, flags, Mode::empty()) {
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

    /// Names of the directories below this one.
    pub(crate) fn children(&self) -> Result<Vec<String>> {
        self.names(true)
    }

    /// Names of the files in this directory.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        self.names(false)
    }

    fn names(&self, directories: bool) -> Result<Vec<String>> {
        let fail = |errno| Error::io("list", &self.path, errno);
        // A fresh descriptor: the position in a directory belongs to the open file.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = fs::openat(&self.fd, ".", flags, Mode::empty()).map_err(fail)?;
        let mut names = Vec::new();
        let mut buffer = Vec::with_capacity(CHUNK);
        let mut entries = RawDir::new(fd, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy();
            if (entry.file_type() == fs::FileType::Directory) == directories
                && name != "."
                && name != ".."
            {
                names.push(name.into_owned());
            }
        }
        Ok(names)
    }

    /// Visits this directory and every one below it, parents first. Directories that vanish meanwhile are passed over.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Dir) -> Result<()>) -> Result<()> {
        visit(self)?;
        for name in self.children()? {
            match self.child(&name).and_then(|child| child.walk(visit)) {
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        Ok(())
    }
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
