//! `kill`: signals for a container.

use rustix::{
    io::Errno,
    process::{Pid, Signal, pidfd_send_signal},
};

use crate::{
    container::Container,
    error::{Context, Result},
    identity::Identity,
    state::Status,
};

impl Container {
    /// Sends a signal to the first process.
    ///
    /// # Errors
    /// It has stopped.
    pub fn kill(&self, signal: Signal) -> Result<()> {
        let gone = || self.refuse("kill", "it is not running");
        let pidfd = self.record.init.open().ok_or_else(gone)?;
        match pidfd_send_signal(&pidfd, signal) {
            Err(Errno::SRCH) => return Err(gone()),
            other => other.context(|| format!("cannot kill container {}", self.id()))?,
        }
        // A frozen process of version 1 dies only once it may run.
        if signal == Signal::KILL && self.status() == Status::Paused {
            self.needs_cgroup("thaw")?.thaw()?;
        }
        Ok(())
    }

    /// Sends a signal to every process of the container's cgroup. That none is left is no error.
    ///
    /// # Errors
    /// A process could not be signalled.
    pub fn kill_all(&self, signal: Signal) -> Result<()> {
        let Some(cgroup) = self.cgroup()? else {
            return if self.record.init.is_alive() {
                self.kill(signal)
            } else {
                Ok(())
            };
        };
        if signal == Signal::KILL {
            return Ok(cgroup.kill()?);
        }
        for pid in cgroup.pids()? {
            self.kill_member(pid, signal)?;
        }
        Ok(())
    }

    fn kill_member(&self, pid: Pid, signal: Signal) -> Result<()> {
        // One that has just ended needs no signal, and its number must not hit another one.
        let Some(pidfd) = Identity::of(pid).ok().and_then(|identity| identity.open()) else {
            return Ok(());
        };
        match pidfd_send_signal(&pidfd, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(errno)
                .context(|| format!("cannot kill process {pid} of container {}", self.id())),
        }
    }
}
