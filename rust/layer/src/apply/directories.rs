//! What must wait until a directory is complete: its time, which every new entry changes, and a mode that would
//! keep its owner from making entries.

use std::os::fd::AsFd;

use rustix::{fs::OFlags, io::Errno};

use super::places::Places;
use crate::{Error, Result, meta, tar::Time};

/// Names of directories that are remembered, in bytes; more than any image has, and a bound for a hostile one.
const MOST_NAMES: usize = 64 << 20;
/// What an owner without privileges needs to make entries.
const USABLE: u32 = 0o300;

/// The directories of one archive, in its order.
#[derive(Default)]
pub struct Directories {
    /// One after the other: a vector each would cost more than the names.
    names: Vec<u8>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    end: usize,
    mtime: Time,
    mode: Option<u16>,
}

impl Directories {
    /// Remember the directory `path`; gives the mode it shall have in the meantime.
    pub fn add(&mut self, path: &[u8], mtime: Time, mode: u32) -> Result<u32> {
        if self.names.len() + path.len() > MOST_NAMES {
            let limit = MOST_NAMES >> 20;
            return Err(Error::Refused(format!(
                "the archive has more than {limit} MiB of directory names"
            )));
        }
        self.names.extend_from_slice(path);
        let usable = mode & USABLE == USABLE;
        let waiting = Waiting {
            end: self.names.len(),
            mtime,
            mode: (!usable).then_some(mode as u16),
        };
        self.waiting.push(waiting);
        Ok(mode | USABLE)
    }

    /// Give all of them what they waited for.
    pub fn finish(&self, places: &Places<'_>) -> Result<()> {
        for (path, waiting) in self.iter() {
            on_directory(places, path, |fd| meta::set_mtime(fd, waiting.mtime))?;
        }
        // From the innermost: a closed directory hides those in it.
        for (path, waiting) in self.iter().rev() {
            if let Some(mode) = waiting.mode {
                on_directory(places, path, |fd| meta::chmod(fd, mode.into()))?;
            }
        }
        Ok(())
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &Waiting)> {
        (0..self.waiting.len()).map(|index| {
            let start = if index == 0 {
                0
            } else {
                self.waiting[index - 1].end
            };
            let waiting = &self.waiting[index];
            (&self.names[start..waiting.end], waiting)
        })
    }
}

fn on_directory(
    places: &Places<'_>,
    path: &[u8],
    act: impl Fn(std::os::fd::BorrowedFd<'_>) -> rustix::io::Result<()>,
) -> Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    match places.open(path, flags) {
        Ok(fd) => act(fd.as_fd()).map_err(|error| Error::io("set the attributes of", path, error)),
        // A later entry took its place.
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(()),
        Err(error) => Err(Error::io("go into", path, error)),
    }
}
