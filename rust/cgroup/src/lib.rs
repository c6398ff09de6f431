//! Control groups: v1, v2 and hybrid behind one type.
#![forbid(unsafe_code)]

mod resources;

pub use resources::{
    BlockIo, Cpu, DeviceKind, DeviceRule, HugepageLimit, InterfacePriority, Memory, Network, Pids,
    Rdma, Resources, ThrottleDevice, WeightDevice,
};
