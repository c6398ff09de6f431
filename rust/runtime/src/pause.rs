//! `pause` and `resume`: a container's processes stand still and go on.

use crate::{container::Container, error::Result, state::Status};

impl Container {
    /// Freezes every process of the container.
    ///
    /// # Errors
    /// It is not running, or its processes did not stop in time.
    pub fn pause(&self) -> Result<()> {
        match self.status() {
            Status::Running | Status::Created => Ok(self.needs_cgroup("pause")?.freeze()?),
            Status::Paused => Err(self.refuse("pause", "it is paused already")),
            _ => Err(self.refuse("pause", "it is not running")),
        }
    }

    /// Lets the processes of a paused container go on.
    ///
    /// # Errors
    /// It is not paused.
    pub fn resume(&self) -> Result<()> {
        match self.status() {
            Status::Paused => Ok(self.needs_cgroup("resume")?.thaw()?),
            _ => Err(self.refuse("resume", "it is not paused")),
        }
    }
}
