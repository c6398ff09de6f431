//! Archives applied to a directory: streaming, in one pass, never outside it.

mod data;
mod directories;
mod make;
mod options;
mod places;
mod whiteout;

use std::{io::BufRead, os::fd::BorrowedFd};

pub use self::options::{Applied, ApplyOptions, IdRange, Limits, Owners, Whiteouts};
use self::{
    directories::Directories,
    places::Places,
    whiteout::{Meaning, Whiteout},
};
use crate::{
    Error, Result,
    path::{clean, split},
    stream::{Cancel, read_through},
    tar::{Entry, Reader},
};

/// Apply the archive read from `input` (a file, a pipe, a socket; compressed or not) to the directory `root`.
///
/// Every path is resolved inside `root` and nothing outside it is ever touched. When it fails, what was made by then
/// stays: apply to a staging directory, or undo it.
///
/// # Errors
///
/// [`Error::Damaged`] and [`Error::Refused`] for the archive, [`Error::Io`] for the disk, [`Error::Cancelled`].
pub fn apply(
    input: BorrowedFd<'_>,
    root: BorrowedFd<'_>,
    options: &ApplyOptions,
    cancel: &Cancel,
) -> Result<Applied> {
    let (done, stream) = read_through(input, cancel, |data| {
        let mut work = Apply::new(root, options);
        work.run(&mut Reader::new(data), cancel)?;
        Ok(work.done)
    })?;
    Ok(Applied {
        stream,
        entries: done.entries,
        content: done.content,
        skipped_xattrs: done.skipped_xattrs,
        complete: done.complete,
    })
}

#[derive(Default)]
struct Done {
    entries: u64,
    content: u64,
    skipped_xattrs: u64,
    complete: bool,
}

struct Apply<'a> {
    options: &'a ApplyOptions,
    places: Places<'a>,
    whiteout: Whiteout,
    directories: Directories,
    done: Done,
}

impl<'a> Apply<'a> {
    fn new(root: BorrowedFd<'a>, options: &'a ApplyOptions) -> Self {
        Self {
            options,
            places: Places::new(root, options),
            whiteout: Whiteout::new(options.whiteouts),
            directories: Directories::default(),
            done: Done::default(),
        }
    }

    fn run<R: BufRead>(&mut self, archive: &mut Reader<R>, cancel: &Cancel) -> Result<()> {
        while let Some(mut entry) = archive.next_entry()? {
            if cancel.is_stopped() {
                return Err(Error::Cancelled);
            }
            self.count(&entry)?;
            let path = clean(&entry.path)?;
            (entry.uid, entry.gid) = self.options.owners.of(entry.uid, entry.gid)?;
            let meaning = match self.options.whiteouts {
                Whiteouts::Keep => Meaning::Plain,
                _ => whiteout::meaning(&path)?,
            };
            let (directory, _) = split(&path);
            match meaning {
                Meaning::Plain => self.make(&path, &entry, archive)?,
                Meaning::Nothing => {}
                Meaning::Opaque => {
                    let place = self.places.directory(directory)?;
                    self.whiteout.empty(&place, directory)?;
                    self.places.forget();
                }
                Meaning::Removed(name) => {
                    let place = self.places.directory(directory)?;
                    self.whiteout.remove(&place, directory, name)?;
                    self.places.forget();
                }
            }
        }
        self.done.complete = archive.is_complete();
        self.directories.finish(&self.places)
    }

    fn count(&mut self, entry: &Entry) -> Result<()> {
        let limits = &self.options.limits;
        self.done.entries += 1;
        if self.done.entries > limits.entries {
            return Err(Error::Refused(format!(
                "the archive has more than {} entries",
                limits.entries
            )));
        }
        let size = entry
            .sparse
            .as_ref()
            .map_or(entry.size, |sparse| sparse.size);
        self.done.content = self.done.content.saturating_add(size);
        if self.done.content > limits.bytes {
            return Err(Error::Refused(format!(
                "the archive has more than {} bytes of files",
                limits.bytes
            )));
        }
        Ok(())
    }
}
