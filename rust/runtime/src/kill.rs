//! `kill`: signals for a container.

use rustix::{
    io::Errno,
    process::{Pid, Signal, pidfd_send_signal},
};

use crate::{
    container::Container,
    error::{Context, Result},
    identity::Identity,
    spec::NamespaceType,
};

impl Container {
    /// Sends a signal to the first process. Where its death takes nobody with it, as it has no pid namespace of its own, KILL is for
    /// all of the container.
    ///
    /// # Errors
    /// It has stopped.
    pub fn kill(&self, signal: Signal) -> Result<()> {
        if signal == Signal::KILL && !self.has_own_pids() && self.has_processes() {
            return self.kill_all(signal);
        }
        self.kill_first(signal)
    }

    fn has_own_pids(&self) -> bool {
        let mut namespaces = self.record.namespaces.iter();
        namespaces.any(|namespace| namespace.kind == NamespaceType::Pid && namespace.path.is_none())
    }

    /// Whether anybody is in its cgroup.
    fn has_processes(&self) -> bool {
        let pids = self.cgroup().ok().flatten().map(|cgroup| cgroup.pids());
        matches!(pids, Some(Ok(pids)) if !pids.is_empty())
    }

    fn kill_first(&self, signal: Signal) -> Result<()> {
        let gone = || self.refuse("kill", "container not running");
        let pidfd = self.record.init.open().ok_or_else(gone)?;
        match pidfd_send_signal(&pidfd, signal) {
            Err(Errno::SRCH) => return Err(gone()),
            other => other.context(|| format!("cannot kill container {}", self.id()))?,
        }
        if signal == Signal::KILL {
            self.let_die()?;
        }
        Ok(())
    }

    /// Thaws whoever was frozen, by us or by the container itself: a frozen process of version 1 dies only once it may run.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn let_die(&self) -> Result<()> {
        match self.cgroup()? {
            Some(cgroup) => Ok(cgroup.thaw_all()?),
            None => Ok(()),
        }
    }

    /// Sends a signal to every process of the container's cgroup. That none is left is no error.
    ///
    /// # Errors
    /// A process could not be signalled.
    pub fn kill_all(&self, signal: Signal) -> Result<()> {
        let Some(cgroup) = self.cgroup()? else {
            return if self.record.init.is_alive() {
                self.kill_first(signal)
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
