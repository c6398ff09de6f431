//! One directory of a hierarchy, held open; its files are read and written relative to it.

use std::{
    ffi::{OsStr, OsString},
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
        self.write_each(name, &[value])
    }

    /// As [`write`](Self::write), one value after the other into a file that is opened once.
    pub(crate) fn write_each(&self, name: &str, values: &[impl AsRef<str>]) -> Result<()> {
        let refused = |value: &str, errno: Errno| Error::Refused {
            key: name.to_owned(),
            value: value.to_owned(),
            hint: String::new(),
            source: errno.into(),
        };
        let Some(first) = values.first() else {
            return Ok(());
        };
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = fs::openat(&self.fd, name, flags, Mode::empty())
            .map_err(|errno| refused(first.as_ref(), errno))?;
        for value in values.iter().map(AsRef::as_ref) {
            loop {
                match io::write(&file, value.as_bytes()) {
                    Ok(_) => break,
                    Err(Errno::INTR) => {}
                    Err(errno) => return Err(refused(value, errno)),
                }
            }
        }
        Ok(())
    }

    /// Names of the files in this directory.
    pub(crate) fn files(&self) -> Result<Vec<OsString>> {
        list(self, false).map_err(|errno| Error::io("list", &self.path, errno))
    }

    /// Visits this directory and every one below it, parents first. Directories that vanish meanwhile are passed over.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Dir) -> Result<()>) -> Result<()> {
        visit(self)?;
        self.descend(visit, &mut |_, _| {})
    }

    /// Goes through every directory below this one: into it by `enter`; once all below it is done, `leave` gets the directory that it
    /// is in and its name.
    ///
    /// A container may have made them: their names need not be text, there may be many, and they may lie in one another deeper than a
    /// path or the number of descriptors reaches. So only one is open, and the way back is `..`: the kernel moves no group elsewhere.
    pub(crate) fn descend(
        &self,
        enter: &mut dyn FnMut(&Dir) -> Result<()>,
        leave: &mut dyn FnMut(&Dir, &OsStr),
    ) -> Result<()> {
        let mut here = self.child(".")?;
        let mut way = vec![Level {
            name: OsString::new(),
            left: here.directories()?,
        }];
        while let Some(level) = way.last_mut() {
            let Some(name) = level.left.pop() else {
                let done = way.pop().filter(|_| !way.is_empty());
                if let Some(done) = done {
                    here = here.child("..")?;
                    leave(&here, &done.name);
                }
                continue;
            };
            match self.step(&here, &name, enter) {
                Ok((below, left)) => {
                    here = below;
                    way.push(Level { name, left });
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One step down; gives the directory there and what is in it.
    fn step(
        &self,
        from: &Dir,
        name: &OsStr,
        enter: &mut dyn FnMut(&Dir) -> Result<()>,
    ) -> Result<(Self, Vec<OsString>)> {
        let mut below = from.child(name)?;
        below.path = self.path.join("…").join(name);
        enter(&below)?;
        let left = below.directories()?;
        Ok((below, left))
    }

    /// Names of the directories in this one.
    fn directories(&self) -> Result<Vec<OsString>> {
        list(self, true).map_err(|errno| Error::io("list", &self.path, errno))
    }
}

/// A directory on the way down: its name, and the directories in it that are yet to be visited.
struct Level {
    name: OsString,
    left: Vec<OsString>,
}

/// Names of the directories, or of everything else, in a directory.
fn list(directory: impl AsFd, directories: bool) -> std::result::Result<Vec<OsString>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = fs::openat(directory, c".", flags, Mode::empty())?;
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
