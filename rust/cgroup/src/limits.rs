//! Writing limits: one file for each controller, which knows both versions' files.

mod cpu;
mod cpuset;
mod hugetlb;
mod io;
mod memory;
mod network;
mod pids;
mod rdma;
mod unified;

use rustix::io::Errno;

use crate::{Cgroup, Error, Resources, Result, cgroup::Place, devices, dir::Dir};

impl Cgroup {
    /// Sets the limits of a new group, and the devices it may use.
    ///
    /// Without device rules nothing but the [harmless devices](crate::default_devices) may be used.
    ///
    /// # Errors
    /// The first limit that cannot be set; the message names the key and, where the kernel refused it, the value.
    pub fn apply(&self, resources: &Resources) -> Result<()> {
        devices::set(self, &resources.devices)?;
        self.set_limits(resources)
    }

    /// Changes the limits that `resources` names and leaves the others alone; so too the devices if it has no rules.
    ///
    /// # Errors
    /// As [`apply`](Self::apply). Limits before the one that failed stay changed.
    pub fn update(&self, resources: &Resources) -> Result<()> {
        if !resources.devices.is_empty() {
            devices::set(self, &resources.devices)?;
        }
        self.set_limits(resources)
    }

    fn set_limits(&self, resources: &Resources) -> Result<()> {
        let Resources {
            memory,
            cpu,
            pids,
            block_io,
            network,
            ..
        } = resources;
        memory
            .as_ref()
            .map_or(Ok(()), |memory| memory::set(self, memory))?;
        cpu.as_ref().map_or(Ok(()), |cpu| {
            cpu::set(self, cpu).and_then(|()| cpuset::set(self, cpu))
        })?;
        pids.as_ref().map_or(Ok(()), |pids| pids::set(self, pids))?;
        block_io
            .as_ref()
            .map_or(Ok(()), |block_io| io::set(self, block_io))?;
        network
            .as_ref()
            .map_or(Ok(()), |network| network::set(self, network))?;
        hugetlb::set(self, &resources.hugepage_limits)?;
        rdma::set(self, &resources.rdma)?;
        // Last, because the specification lets it override everything else.
        unified::set(self, &resources.unified)
    }

    /// The place of a controller that `key` needs.
    fn need(&self, v1: &str, v2: &str, key: &str) -> Result<Place<'_>> {
        self.place(v1, v2).ok_or_else(|| Error::Unavailable {
            key: key.to_owned(),
            controller: if self.has_v1() { v1 } else { v2 }.to_owned(),
        })
    }
}

/// A value where 0 is documented to mean "not set".
fn nonzero<T: Copy + Default + PartialEq>(value: Option<T>) -> Option<T> {
    value.filter(|value| *value != T::default())
}

/// As version 2 writes it.
fn or_max(value: i64) -> String {
    if value < 0 {
        "max".to_owned()
    } else {
        value.to_string()
    }
}

/// Writes files that constrain one another, in whatever order the kernel takes them.
///
/// A quota may not exceed what a period allows, memory not memory+swap, and which has to move first depends on where
/// they are now. So a file that is refused with EINVAL is tried again once another one has been written.
fn write_dependent(dir: &Dir, mut files: Vec<(&'static str, String)>) -> Result<()> {
    while !files.is_empty() {
        let before = files.len();
        let mut refused = Vec::new();
        let mut first_error = None;
        for (file, value) in files {
            match dir.write(file, &value) {
                Err(error) if error.errno() == Some(Errno::INVAL) => {
                    first_error.get_or_insert(error);
                    refused.push((file, value));
                }
                other => other?,
            }
        }
        match first_error {
            Some(error) if refused.len() == before => return Err(error),
            _ => files = refused,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
