//! A directory tree made into an archive: sorted, and the same bytes for the same tree.

use std::{
    collections::HashMap,
    ffi::OsStr,
    io::{self, BufWriter, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::ffi::OsStrExt,
    },
};

use pyctr_sys::root::Root;
use rustix::{
    fs::{FileType, Mode, OFlags},
    io::Errno,
};

use crate::{
    Error, Result,
    look::{Found, Xattrs, names},
    path::{DEEPEST, clean, join},
    stream::{Cancel, Digest, Hasher, Output},
    tar::{Kind, Writer},
};

/// Bytes collected before they are written, and read from a file at a time.
const BUFFER: usize = 256 << 10;

/// How to make an archive.
#[derive(Debug, Default)]
pub struct PackOptions {
    /// What the top is called in the archive. Empty: it is a directory, and only what is in it is packed.
    pub name: Vec<u8>,
    /// Directories, by their names in the archive, of whose content nothing is packed.
    pub hollow: Vec<Vec<u8>>,
    /// Whether to hash the archive on the way.
    pub digest: bool,
}

/// What was packed.
#[derive(Debug, Clone, Copy)]
pub struct Packed {
    /// Entries in the archive.
    pub entries: u64,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, if that was asked for.
    pub digest: Option<Digest>,
}

/// Write what is at `path` in `root` to `output` as an uncompressed archive.
///
/// `path` is a container's own path: symbolic links in it are resolved against `root`, but for the last component,
/// which is taken as it is. Sockets are left out. A file that shrinks while it is read is filled with zeros.
///
/// # Errors
///
/// [`Error::Io`], with `ENOENT` for a missing path; [`Error::Cancelled`].
pub fn pack(
    root: BorrowedFd<'_>,
    path: &[u8],
    output: BorrowedFd<'_>,
    options: &PackOptions,
    cancel: &Cancel,
) -> Result<Packed> {
    let top = find(root, path)?;
    let out = Counted {
        out: Output::new(output, cancel),
        size: 0,
        hasher: options.digest.then(Hasher::default),
    };
    let mut pack = Pack {
        writer: Writer::new(BufWriter::with_capacity(BUFFER, out)),
        links: HashMap::new(),
        buffer: vec![0; BUFFER],
        entries: 0,
        hollow: &options.hollow,
        cancel,
    };
    if options.name.is_empty() {
        pack.children(&top, b"", 0)?;
    } else {
        pack.add(&top, &options.name, 0)?;
    }
    let Pack {
        writer, entries, ..
    } = pack;
    let out = writer
        .finish()
        .and_then(|buffer| buffer.into_inner().map_err(io::IntoInnerError::into_error));
    let out = out.map_err(written)?;
    Ok(Packed {
        entries,
        size: out.size,
        digest: out.hasher.map(|hasher| hasher.finish().0),
    })
}

fn find(root: BorrowedFd<'_>, path: &[u8]) -> Result<Found> {
    let failed = |error: io::Error| Error::io("pack", path, error);
    let root = Root::new(root);
    if clean(path).is_ok_and(|path| path.is_empty()) {
        let directory = OFlags::RDONLY | OFlags::DIRECTORY;
        let fd = root.open("", directory, Mode::empty()).map_err(failed)?;
        return Found::of(fd).map_err(|error| failed(error.into()));
    }
    let (parent, name) = root.parent(OsStr::from_bytes(path)).map_err(failed)?;
    let found = Found::at(parent.as_fd(), name.as_bytes()).map_err(|error| failed(error.into()))?;
    found.ok_or_else(|| failed(Errno::NOENT.into()))
}

struct Pack<'a, W: Write> {
    writer: Writer<W>,
    /// The first name of each file that has several.
    links: HashMap<(u64, u64), Vec<u8>>,
    buffer: Vec<u8>,
    entries: u64,
    hollow: &'a [Vec<u8>],
    cancel: &'a Cancel,
}

impl<W: Write> Pack<'_, W> {
    fn add(&mut self, found: &Found, path: &[u8], depth: usize) -> Result<()> {
        if self.cancel.is_stopped() {
            return Err(Error::Cancelled);
        }
        let entry = found.entry(path, Xattrs::Portable);
        let Some(mut entry) = entry.map_err(|error| Error::io("read", path, error))? else {
            return Ok(());
        };
        self.entries += 1;
        if let Some(inode) = found.shared_inode() {
            if let Some(first) = self.links.get(&inode) {
                (entry.kind, entry.size) = (Kind::HardLink, 0);
                entry.link.clone_from(first);
                entry.xattrs.clear();
                return self.writer.header(&entry).map_err(written);
            }
            self.links.insert(inode, path.to_vec());
        }
        if entry.kind == Kind::Directory {
            entry.path.push(b'/');
        }
        self.writer.header(&entry).map_err(written)?;
        match entry.kind {
            Kind::File => self.data(found, path),
            Kind::Directory => self.children(found, path, depth),
            _ => Ok(()),
        }
    }

    fn children(&mut self, directory: &Found, path: &[u8], depth: usize) -> Result<()> {
        let failed = |error: Errno| Error::io("read", path, error);
        if directory.kind() != FileType::Directory {
            return Err(failed(Errno::NOTDIR));
        }
        if depth == DEEPEST {
            return Err(failed(Errno::NAMETOOLONG));
        }
        if self.hollow.iter().any(|hollow| hollow == path) {
            return Ok(());
        }
        for name in names(directory.fd.as_fd()).map_err(failed)? {
            let below = join(path, &name);
            let found = Found::at(directory.fd.as_fd(), &name);
            if let Some(found) = found.map_err(|error| Error::io("read", &below, error))? {
                self.add(&found, &below, depth + 1)?;
            }
        }
        Ok(())
    }

    /// As many bytes as the header announced, whatever happens to the file meanwhile.
    fn data(&mut self, found: &Found, path: &[u8]) -> Result<()> {
        let failed = |error: Errno| Error::io("read", path, error);
        if self.writer.missing() == 0 {
            return Ok(());
        }
        let file = found.data().map_err(failed)?;
        while self.writer.missing() > 0 {
            match rustix::io::read(&file, &mut self.buffer[..]) {
                Ok(0) => {
                    self.buffer.fill(0);
                    self.writer.data(&self.buffer).map_err(written)?;
                }
                Ok(count) => self.writer.data(&self.buffer[..count]).map_err(written)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

/// Counts what goes out, and hashes it if asked to.
struct Counted<'a> {
    out: Output<'a>,
    size: u64,
    hasher: Option<Hasher>,
}

impl Write for Counted<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let count = self.out.write(data)?;
        self.size += count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&data[..count]);
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn written(error: io::Error) -> Error {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(Error::Cancelled) => Error::Cancelled,
        _ => Error::io("write", b"the archive", error),
    }
}
