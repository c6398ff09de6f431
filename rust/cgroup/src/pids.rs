//! Who is in a group.

use std::collections::BTreeSet;

use rustix::{io::Errno, process::Pid};

use crate::{Cgroup, Result, dir::Dir};

impl Cgroup {
    /// Every process of the group and of the groups below it, in ascending order.
    ///
    /// All hierarchies are asked, so that a process that was put into only one of them by hand is not missed.
    ///
    /// # Errors
    /// When the group cannot be read.
    pub fn pids(&self) -> Result<Vec<Pid>> {
        let mut found = BTreeSet::new();
        for group in self.groups() {
            match collect(&group.dir, &mut found) {
                Err(error) if error.is_not_found() => {}
                other => other?,
            }
        }
        Ok(found.into_iter().filter_map(Pid::from_raw).collect())
    }

    /// Whether nobody is left in the group and the groups below it.
    ///
    /// # Errors
    /// As [`pids`](Self::pids).
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.pids()?.is_empty())
    }
}

/// Process ids of a directory and those below it. A process outside of our pid namespace shows as 0 and is left out.
pub(crate) fn collect(top: &Dir, found: &mut BTreeSet<i32>) -> Result<()> {
    top.walk(&mut |dir| {
        let text = match dir.read("cgroup.procs") {
            Ok(text) => text,
            // A threaded group; the group above lists its processes.
            Err(error) if error.errno() == Some(Errno::OPNOTSUPP) => return Ok(()),
            Err(error) => return Err(error),
        };
        found.extend(
            text.lines()
                .filter_map(|line| line.parse().ok())
                .filter(|pid: &i32| *pid > 0),
        );
        Ok(())
    })
}
