//! Killing every process of a group.

use std::{thread::sleep, time::Duration};

use rustix::{
    io::Errno,
    process::{Signal, kill_process},
};

use crate::{Cgroup, Error, Result};

/// How often a group that keeps forking is gone over when it cannot be frozen.
const ROUNDS: u32 = 100;
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
        if let Some(unified) = self.unified() {
            match unified.dir.write("cgroup.kill", "1") {
                // Kernels before 5.14 have no such file.
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        // Version 1, old kernels, and processes that are in the group in some hierarchies only.
        for round in 0..ROUNDS {
            if self.pids()?.is_empty() {
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
        // Somebody may have frozen the group before; frozen tasks of version 1 do not die.
        match self.frozen() {
            Ok(true) => self.thaw(),
            Ok(false) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives false when the group could not be frozen, which a process in the kernel may prevent.
    fn kill_frozen(&self) -> Result<bool> {
        if self.freeze_within(FREEZE).is_err() {
            return Ok(false);
        }
        let killed = self.kill_each();
        self.thaw().and(killed).map(|()| true)
    }

    fn kill_each(&self) -> Result<()> {
        let mut errors = Vec::new();
        for pid in self.pids()? {
            match kill_process(pid, Signal::KILL) {
                Ok(()) | Err(Errno::SRCH) => {}
                Err(errno) => errors.push(Error::io("kill", format!("process {pid}"), errno)),
            }
        }
        Error::collect(errors)
    }
}
