//! Stopping every process of a group in its tracks, and letting them go again.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::OFlags,
    io::Errno,
};

use crate::{Cgroup, Error, Result, dir::Dir, parse::flat_value};

/// A process in an uninterruptible system call delays the freeze; longer than this nobody wants to wait.
const LIMIT: Duration = Duration::from_secs(10);

/// What freezes this group.
enum Freezer<'a> {
    V1(&'a Dir),
    V2(&'a Dir),
}

impl Cgroup {
    /// Freezes the group and waits until every process stands still.
    ///
    /// # Errors
    /// [`Error::FreezeTimeout`] after ten seconds; then everything runs on. [`Error::Unavailable`] without a freezer.
    pub fn freeze(&self) -> Result<()> {
        self.freeze_within(LIMIT)
    }

    pub(crate) fn freeze_within(&self, limit: Duration) -> Result<()> {
        let frozen = match self.freezer()? {
            Freezer::V1(dir) => freeze_v1(dir, limit),
            Freezer::V2(dir) => freeze_v2(dir, limit),
        };
        match frozen {
            Ok(true) => Ok(()),
            Ok(false) => self.thaw().and(Err(Error::FreezeTimeout {
                path: self.path().to_owned(),
            })),
            Err(error) => self.thaw().and(Err(error)),
        }
    }

    /// Lets a frozen group run.
    ///
    /// # Errors
    /// [`Error::Unavailable`] without a freezer, and when the kernel refuses.
    pub fn thaw(&self) -> Result<()> {
        match self.freezer()? {
            Freezer::V1(dir) => dir.write("freezer.state", "THAWED"),
            Freezer::V2(dir) => dir.write("cgroup.freeze", "0"),
        }
    }

    /// Whether the group itself is frozen. One that stands still because a parent is frozen is not.
    ///
    /// # Errors
    /// When the group cannot be read.
    pub fn frozen(&self) -> Result<bool> {
        match self.freezer() {
            Ok(Freezer::V1(dir)) => Ok(dir.read("freezer.self_freezing")? == "1"),
            Ok(Freezer::V2(dir)) => Ok(dir.read("cgroup.freeze")? == "1"),
            // What cannot be frozen is not.
            Err(Error::Unavailable { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn freezer(&self) -> Result<Freezer<'_>> {
        if let Some(dir) = self.v1("freezer") {
            return Ok(Freezer::V1(dir));
        }
        let unified = self
            .unified()
            .filter(|group| group.dir.exists("cgroup.freeze"));
        unified
            .map(|group| Freezer::V2(&group.dir))
            .ok_or_else(|| Error::Unavailable {
                key: "freezer".to_owned(),
                controller: "freezer".to_owned(),
            })
    }
}

/// Version 1 stays in FREEZING while new processes appear; writing FROZEN again catches those too, and a short thaw
/// lets one that is stuck in vfork(2) get on.
fn freeze_v1(dir: &Dir, limit: Duration) -> Result<bool> {
    let start = Instant::now();
    for attempt in 1_u64.. {
        dir.write("freezer.state", "FROZEN")?;
        match dir.read("freezer.state")?.as_str() {
            "FROZEN" => return Ok(true),
            _ if start.elapsed() > limit => return Ok(false),
            _ if attempt % 50 == 0 => {
                dir.write("freezer.state", "THAWED")?;
                sleep(Duration::from_millis(10));
            }
            _ => sleep(Duration::from_micros(20 * attempt.min(50))),
        }
    }
    Ok(false)
}

/// Version 2 takes the order once and tells in `cgroup.events` when it is carried out.
fn freeze_v2(dir: &Dir, limit: Duration) -> Result<bool> {
    let events = dir.file("cgroup.events", OFlags::RDONLY)?;
    dir.write("cgroup.freeze", "1")?;
    let start = Instant::now();
    loop {
        // Reading through the same open file is what arms the poll.
        if flat_value(&reread(&events, dir)?, "frozen") == Some(1) {
            return Ok(true);
        }
        let Some(left) = limit.checked_sub(start.elapsed()) else {
            return Ok(false);
        };
        let left = Timespec::try_from(left).ok();
        match poll(&mut [PollFd::new(&events, PollFlags::PRI)], left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => {
                return Err(Error::io(
                    "wait for",
                    dir.path().join("cgroup.events"),
                    errno,
                ));
            }
        }
    }
}

fn reread(file: &std::os::fd::OwnedFd, dir: &Dir) -> Result<String> {
    let mut buffer = [0; 256];
    match rustix::io::pread(file, &mut buffer, 0) {
        Ok(n) => Ok(String::from_utf8_lossy(&buffer[..n]).into_owned()),
        Err(errno) => Err(Error::io("read", dir.path().join("cgroup.events"), errno)),
    }
}
