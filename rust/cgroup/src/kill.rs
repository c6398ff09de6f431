//! Killing every process of a group.

use std::{collections::HashSet, os::fd::OwnedFd, thread::sleep, time::Duration};

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

use crate::{Cgroup, Error, Result, dir::Dir};

/// How often a group that keeps forking is gone over when it cannot be frozen.
const ROUNDS: u32 = 100;
/// Processes that are held at a time.
const AT_ONCE: usize = 256;
/// How long to try to freeze it.
const FREEZE: Duration = Duration::from_millis(100);

impl Cgroup {
    /// Sends SIGKILL to every process of the group and the groups below it, and thaws it, so that they can die.
    ///
    /// Does not wait for them to be gone: a process may be held up in the kernel.
    ///
    /// # Errors
    /// When a process could not be killed. A group that is not there any more is no error.
    pub fn kill(&self) -> Result<()> {
        let told = self.order_kill()?;
        // Version 1, old kernels, and processes that are in the group in some hierarchies only.
        for round in 0..ROUNDS {
            if (told && !self.has_v1()) || self.pids()?.is_empty() {
                break;
            }
            if round % 5 == 4 {
                // Frozen processes cannot fork away from the signal.
                if self.kill_frozen()? {
                    break;
                }
            } else {
                self.kill_each()?;
                sleep(Duration::from_millis(u64::from(round.min(10))));
            }
        }
        self.thaw_all()
    }

    /// Has the kernel kill everybody in the version 2 group; false if it does not know how (before 5.14).
    fn order_kill(&self) -> Result<bool> {
        let Some(unified) = self.unified() else {
            return Ok(false);
        };
        match unified.dir.write("cgroup.kill", "1") {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives false when the group could not be frozen, which a process in the kernel may prevent.
    fn kill_frozen(&self) -> Result<bool> {
        if self.freeze_within(FREEZE).is_err() {
            return Ok(false);
        }
        let killed = self.kill_each();
        self.thaw_all().and(killed).map(|()| true)
    }

    /// Kills everybody who is there now, and nobody else: a process is held by a descriptor while it is made sure that
    /// it is still one of the group, so a number that was given away again meanwhile does no harm.
    fn kill_each(&self) -> Result<()> {
        let mut errors = Vec::new();
        for some in self.pids()?.chunks(AT_ONCE) {
            let held: Vec<(Pid, OwnedFd)> = some
                .iter()
                .filter_map(|pid| Some((*pid, pidfd_open(*pid, PidfdFlags::empty()).ok()?)))
                .collect();
            let members: HashSet<Pid> = self.pids()?.into_iter().collect();
            for (pid, pidfd) in held.iter().filter(|(pid, _)| members.contains(pid)) {
                match pidfd_send_signal(pidfd, Signal::KILL) {
                    Ok(()) | Err(Errno::SRCH) => {}
                    Err(errno) => errors.push(Error::io("kill", format!("process {pid}"), errno)),
                }
            }
        }
        Error::collect(errors)
    }

    /// Thaws the group, and what the container itself has frozen below it: frozen tasks of version 1 do not die.
    ///
    /// # Errors
    /// When the kernel refuses. A group that is not there any more is no error.
    pub fn thaw_all(&self) -> Result<()> {
        let thaw = |dir: &Dir| match dir.write("freezer.state", "THAWED") {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        };
        let done = match self.v1("freezer") {
            Some(dir) => dir.walk(&mut |dir| thaw(dir)),
            None if self.frozen()? => self.thaw(),
            None => Ok(()),
        };
        match done {
            Err(error) if !error.is_not_found() => Err(error),
            _ => Ok(()),
        }
    }
}
