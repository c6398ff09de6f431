//! Being told, and counting, when the kernel kills a process of the group for want of memory.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::{
    event::{EventfdFlags, eventfd},
    fs::{OFlags, inotify},
    io::Errno,
};

use crate::{Cgroup, Error, Result, cgroup::Place, dir::Dir, parse::flat_value};

const CONTROL: &str = "memory.oom_control";
const EVENTS: &str = "memory.events";

impl Cgroup {
    /// How many processes of the group and the groups below it the kernel has killed for want of memory.
    ///
    /// Exact, and to be read before the group is removed. Groups below it that are gone already still count on
    /// version 2, but not on version 1, where each group counts for itself.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without a memory controller.
    pub fn oom_kills(&self) -> Result<u64> {
        match self.memory()? {
            Place::V1(dir) => sum(dir, CONTROL),
            Place::V2(dir) if self.unified().is_some_and(|group| group.local_events) => {
                sum(dir, EVENTS)
            }
            Place::V2(dir) => count(dir, EVENTS),
        }
    }

    /// A source of events for a poll loop, see [`OomEvents`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] without a memory controller, or when the kernel refuses.
    pub fn oom_events(&self) -> Result<OomEvents<'_>> {
        let source = match self.memory()? {
            Place::V1(dir) => v1(dir)?,
            Place::V2(dir) => v2(dir)?,
        };
        let seen = self.oom_kills()?;
        Ok(OomEvents {
            group: self,
            source,
            seen,
        })
    }

    fn memory(&self) -> Result<Place<'_>> {
        self.place("memory", "memory")
            .ok_or_else(|| Error::Unavailable {
                key: "out-of-memory events".to_owned(),
                controller: "memory".to_owned(),
            })
    }
}

/// What an [`OomEvents`] has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OomEvent {
    /// Nothing of interest; wait on.
    None,
    /// The group ran out of memory. The count is that of [`Cgroup::oom_kills`]; on version 1 the event comes first,
    /// and the victim may not be counted yet.
    Oom {
        /// Processes killed so far.
        kills: u64,
    },
    /// The group was removed or has no processes any more: no more events will come.
    Gone,
}

/// Tells when a group runs out of memory: poll [`as_fd`](AsFd::as_fd) for input, then call [`read`](Self::read).
#[derive(Debug)]
pub struct OomEvents<'a> {
    group: &'a Cgroup,
    source: Source,
    seen: u64,
}

#[derive(Debug)]
enum Source {
    /// An eventfd that the kernel signals, also when the group is removed.
    V1(OwnedFd),
    /// An inotify on the files that count.
    V2(OwnedFd),
}

impl OomEvents<'_> {
    /// Takes what is there, without waiting.
    ///
    /// # Errors
    /// When the kernel's files cannot be read.
    pub fn read(&mut self) -> Result<OomEvent> {
        let woken = drain(self.as_fd())
            .map_err(|errno| Error::io("read events of", self.group.path(), errno))?;
        if !woken {
            return Ok(OomEvent::None);
        }
        self.count()
    }

    /// What was not told yet when the last process has ended, whether or not the source was readable: the kernel counts
    /// a kill before the victim dies, but on version 2 it may tell of a changed file some milliseconds later.
    ///
    /// # Errors
    /// When the kernel's files cannot be read.
    pub fn last(&mut self) -> Result<OomEvent> {
        match self.read()? {
            // On version 1 the event comes before the kill: nothing read, nothing happened.
            OomEvent::None if matches!(self.source, Source::V1(_)) => Ok(OomEvent::None),
            OomEvent::None => self.count(),
            told => Ok(told),
        }
    }

    fn count(&mut self) -> Result<OomEvent> {
        let kills = match self.group.oom_kills() {
            Err(error) if error.is_not_found() => return Ok(OomEvent::Gone),
            other => other?,
        };
        let more = kills > std::mem::replace(&mut self.seen, kills);
        match &self.source {
            Source::V1(_) => Ok(OomEvent::Oom { kills }),
            Source::V2(_) if more => Ok(OomEvent::Oom { kills }),
            Source::V2(_) => self.if_populated(),
        }
    }

    /// Version 2 tells nobody of a removal, but before that everybody has left.
    fn if_populated(&self) -> Result<OomEvent> {
        let Some(unified) = self.group.unified() else {
            return Ok(OomEvent::Gone);
        };
        match unified.dir.read("cgroup.events") {
            Ok(text) if flat_value(&text, "populated") == Some(0) => Ok(OomEvent::Gone),
            Ok(_) => Ok(OomEvent::None),
            Err(error) if error.is_not_found() => Ok(OomEvent::Gone),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for OomEvents<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.source {
            Source::V1(fd) | Source::V2(fd) => fd.as_fd(),
        }
    }
}

/// Reads what is there; false if that is nothing.
fn drain(fd: BorrowedFd<'_>) -> std::result::Result<bool, Errno> {
    let mut woken = false;
    let mut buffer = [0; 4096];
    loop {
        match rustix::io::read(fd, &mut buffer) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(woken),
            Ok(_) => woken = true,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

fn v1(dir: &Dir) -> Result<Source> {
    use std::os::fd::AsRawFd;
    let signal = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        .map_err(|errno| Error::io("make an eventfd for", dir.path(), errno))?;
    let control = dir.file(CONTROL, OFlags::RDONLY)?;
    dir.write(
        "cgroup.event_control",
        &format!("{} {}", signal.as_raw_fd(), control.as_raw_fd()),
    )?;
    Ok(Source::V1(signal))
}

fn v2(dir: &Dir) -> Result<Source> {
    use inotify::{CreateFlags, WatchFlags};
    let watch = |errno| Error::io("watch", dir.path(), errno);
    let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(watch)?;
    for file in [EVENTS, "cgroup.events"] {
        inotify::add_watch(&fd, dir.path().join(file), WatchFlags::MODIFY).map_err(watch)?;
    }
    Ok(Source::V2(fd))
}

fn count(dir: &Dir, file: &str) -> Result<u64> {
    // Kernels before 4.13 do not count on version 1.
    Ok(flat_value(&dir.read(file)?, "oom_kill").unwrap_or(0))
}

fn sum(top: &Dir, file: &str) -> Result<u64> {
    let mut kills = 0;
    top.walk(&mut |dir| {
        kills += count(dir, file)?;
        Ok(())
    })?;
    Ok(kills)
}
