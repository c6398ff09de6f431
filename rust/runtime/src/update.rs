//! `update`: new limits for a container.

use pyctr_cgroup::Resources;

use crate::{container::Container, error::Result, state::Status};

impl Container {
    /// Sets the limits that `resources` names; others stay as they are.
    ///
    /// # Errors
    /// It has stopped, or the kernel refuses a limit.
    pub fn update(&self, resources: &Resources) -> Result<()> {
        if self.status() == Status::Stopped {
            return Err(self.refuse("update", "it is not running"));
        }
        Ok(self.needs_cgroup("update")?.update(resources)?)
    }
}
