//! Control groups: v1, v2 and hybrid behind one type.
//!
//! [`Cgroup`] is one group in every mounted hierarchy. Whichever version carries a controller is used for it, one by
//! one, so that every mixture of the two works. One file for each thing that can be done with a group.
#![forbid(unsafe_code)]

mod cgroup;
mod convert;
mod create;
mod devices;
mod dir;
mod error;
mod freeze;
mod info;
mod join;
mod kill;
mod layout;
mod limits;
mod oom;
mod parse;
mod path;
mod pids;
mod remove;
mod resources;
mod stats;

pub use cgroup::{Cgroup, unified_fd_of};
pub use devices::default_devices;
pub use error::{Error, Result};
pub use info::Info;
pub use join::Entrance;
pub use layout::Version;
pub use oom::{OomEvent, OomEvents};
pub use path::Driver;
pub use remove::remove_empty;
pub use resources::{
    BlockIo, Cpu, DeviceKind, DeviceRule, HugepageLimit, InterfacePriority, Memory, Network, Pids,
    Rdma, Resources, ThrottleDevice, WeightDevice,
};
pub use stats::{
    BlkioEntry, BlkioStats, CpuStats, CpuUsage, CpusetStats, HugetlbStats, InterfaceStats,
    MemoryEntry, MemoryStats, PidsStats, Psi, PsiData, Stats, Throttling,
};
