//! `ps`: who is in a container.

use rustix::process::Pid;

use crate::{container::Container, error::Result};

impl Container {
    /// The processes of the container, by their ids outside of it, in ascending order.
    ///
    /// # Errors
    /// Its cgroup cannot be read.
    pub fn pids(&self) -> Result<Vec<Pid>> {
        match self.cgroup()? {
            Some(cgroup) => Ok(cgroup.pids()?),
            None => Ok(self
                .record
                .init
                .is_alive()
                .then(|| self.record.pid())
                .flatten()
                .into_iter()
                .collect()),
        }
    }
}
