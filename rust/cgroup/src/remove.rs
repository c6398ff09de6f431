//! Removing a group. Goes on after a failure, and may be done twice.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::{fs, io::Errno};

use crate::{Cgroup, Error, Result, cgroup::Group, dir::Dir};

/// A process that has just died may hold its group for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

impl Cgroup {
    /// Removes the group and all groups below it in every hierarchy, after killing whoever is left there.
    ///
    /// Nobody is looked for while there is no need: the kernel removes an empty group at once.
    ///
    /// # Errors
    /// Those of [`kill`](Self::kill) and [`remove`](Self::remove).
    pub fn destroy(&self) -> Result<()> {
        let gone =
            |group: &Group| matches!(fs::rmdir(group.dir.path()), Ok(()) | Err(Errno::NOENT));
        // All are tried, whatever the first one says.
        if self.groups().iter().filter(|group| !gone(group)).count() == 0 {
            return Ok(());
        }
        let killed = self.kill();
        self.remove().and(killed)
    }

    /// Removes the group and all groups below it in every hierarchy. Kills nobody: a group with processes stays.
    ///
    /// # Errors
    /// One for every hierarchy where it did not work, after all have been tried. What is gone already is no error.
    pub fn remove(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        Error::collect(
            self.groups()
                .iter()
                .filter_map(|group| remove(&group.dir, deadline).err())
                .collect(),
        )
    }
}

fn remove(dir: &Dir, deadline: Instant) -> Result<()> {
    let mut pause = Duration::from_micros(100);
    loop {
        match fs::rmdir(dir.path()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            // Busy with groups below it or with processes, the kernel does not say which.
            Err(Errno::BUSY | Errno::NOTEMPTY) => remove_children(dir, deadline)?,
            Err(errno) => return Err(Error::io("remove cgroup", dir.path(), errno)),
        }
        match fs::rmdir(dir.path()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::BUSY | Errno::NOTEMPTY) if Instant::now() < deadline => {
                sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            Err(errno) => return Err(Error::io("remove cgroup", dir.path(), errno)),
        }
    }
}

fn remove_children(dir: &Dir, deadline: Instant) -> Result<()> {
    let names = match dir.children() {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    let mut errors = Vec::new();
    for name in names {
        match dir.child(&name).and_then(|child| remove(&child, deadline)) {
            Err(error) if !error.is_not_found() => errors.push(error),
            _ => {}
        }
    }
    Error::collect(errors)
}
