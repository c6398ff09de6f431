//! Removing a group. Goes on after a failure, and may be done twice.

use std::{
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::{
    fs::{self, AtFlags},
    io::Errno,
};

use crate::{Cgroup, Error, Result, dir::Dir};

/// A process that has just died may hold its group for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// Removes the directories of a group that [`Cgroup::paths`] names, as long as nobody is in it: the kernel removes an empty
/// group at once, without its being opened. False if something is left.
pub fn remove_empty<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> bool {
    let gone = |path: &PathBuf| matches!(fs::rmdir(path), Ok(()) | Err(Errno::NOENT));
    // All are tried, whatever the first one says.
    paths.into_iter().filter(|path| !gone(path)).count() == 0
}

impl Cgroup {
    /// Removes the group and all groups below it in every hierarchy, after killing whoever is left there.
    ///
    /// Nobody is looked for while there is no need: the kernel removes an empty group at once.
    ///
    /// # Errors
    /// Those of [`kill`](Self::kill) and [`remove`](Self::remove).
    pub fn destroy(&self) -> Result<()> {
        if remove_empty(self.paths().values()) {
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
        match attempt(dir) {
            Err(error) if error.errno() == Some(Errno::BUSY) && Instant::now() < deadline => {
                sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

/// Busy with groups below it or with processes, the kernel does not say which: so the groups below are tried too.
fn attempt(dir: &Dir) -> Result<()> {
    let fail = |path: PathBuf, errno| Error::io("remove cgroup", path, errno);
    let top = || match fs::rmdir(dir.path()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(fail(dir.path().to_owned(), errno)),
    };
    match top() {
        Err(error) if error.errno() == Some(Errno::BUSY) => {}
        other => return other,
    }
    let mut first = None;
    dir.descend(&mut |_| Ok(()), &mut |parent, name| match fs::unlinkat(
        parent,
        name,
        AtFlags::REMOVEDIR,
    ) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => {
            first.get_or_insert(fail(parent.path().join(name), errno));
        }
    })?;
    first.map_or_else(top, Err)
}
