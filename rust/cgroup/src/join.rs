//! Putting processes into a group.
//!
//! The kernel makes a writer of `cgroup.procs` wait until no other process forks or exits: on a machine that was idle
//! before, an RCU grace period of 4 to 12 ms. A process with one thread can avoid it: on version 1 a thread that
//! writes 0 into `tasks` moves only itself and takes no such lock (0.01 ms for each hierarchy), and on version 2 it can
//! be born in its group (`CLONE_INTO_CGROUP`). So a container's first process is cloned into [`Cgroup::unified_fd`] and
//! then [enters](Entrance::enter) the version 1 hierarchies itself.

use std::{os::fd::OwnedFd, thread::sleep, time::Duration};

use rustix::{
    fs::OFlags,
    io::{self, Errno},
    process::Pid,
};

use crate::{Cgroup, Result, dir::Dir};

/// The way into a group for a process that is about to be cloned: open files, nothing else.
#[derive(Debug)]
pub struct Entrance {
    files: Vec<OwnedFd>,
}

impl Entrance {
    /// Moves the calling thread, which must be its process's only one, into the group.
    ///
    /// Allocates nothing and takes no lock, so it may be called between clone and exec.
    ///
    /// # Errors
    /// The errno of the first hierarchy that refuses.
    pub fn enter(&self) -> std::result::Result<(), Errno> {
        for file in &self.files {
            while let Err(errno) = io::write(file, b"0") {
                if errno != Errno::INTR {
                    return Err(errno);
                }
            }
        }
        Ok(())
    }
}

impl Cgroup {
    /// Opens the way in for a child that will be cloned with `CLONE_INTO_CGROUP`, or that stays out of version 2.
    ///
    /// # Errors
    /// When a file of the group cannot be opened.
    pub fn entrance(&self) -> Result<Entrance> {
        let v1 = self.groups().iter().filter(|group| !group.is_v2());
        let files = v1
            .map(|group| group.dir.file("tasks", OFlags::WRONLY))
            .collect::<Result<_>>()?;
        Ok(Entrance { files })
    }

    /// Moves a process, with all its threads, into the group in every hierarchy.
    ///
    /// # Errors
    /// When the kernel refuses: no such process, no real-time budget in the group, …
    pub fn join(&self, pid: Pid) -> Result<()> {
        let pid = pid.to_string();
        self.groups()
            .iter()
            .try_for_each(|group| join(&group.dir, &pid))
    }
}

fn join(dir: &Dir, pid: &str) -> Result<()> {
    // A process that is just being cloned cannot be moved yet, and the kernel says EINVAL.
    for _ in 0..5 {
        match dir.write("cgroup.procs", pid) {
            Err(error) if error.errno() == Some(Errno::INVAL) => sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
    dir.write("cgroup.procs", pid)
}
