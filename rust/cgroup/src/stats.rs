//! What a group has used, in the shape of `runc events --stats`.
//!
//! <https://github.com/opencontainers/runc/blob/main/types/events.go>

mod v1;
mod v2;

use std::{collections::BTreeMap, ffi::OsString};

use serde::Serialize;

use crate::{Cgroup, Result, cgroup::Place, dir::Dir, parse};

/// What a group has used. Absent controllers leave their part at zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// CPU time.
    pub cpu: CpuStats,
    /// Processors and memory nodes.
    pub cpuset: CpusetStats,
    /// Memory and swap.
    pub memory: MemoryStats,
    /// Tasks.
    pub pids: PidsStats,
    /// Block devices.
    pub blkio: BlkioStats,
    /// Huge pages by size, such as `2MB`.
    pub hugetlb: BTreeMap<String, HugetlbStats>,
    /// Cache allocation; not used here, always empty.
    pub intel_rdt: BTreeMap<String, u64>,
    /// Network interfaces; for the caller to fill in.
    pub network_interfaces: Option<Vec<InterfaceStats>>,
}

/// CPU time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CpuStats {
    /// Time used.
    pub usage: CpuUsage,
    /// Time denied.
    pub throttling: Throttling,
    /// Time waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Psi>,
}

/// CPU time in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CpuUsage {
    /// In all.
    pub total: u64,
    /// By processor (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu: Vec<u64>,
    /// By processor, in the kernel (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_kernel: Vec<u64>,
    /// By processor, outside of the kernel (v1).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub percpu_user: Vec<u64>,
    /// In the kernel.
    pub kernel: u64,
    /// Outside of the kernel.
    pub user: u64,
}

/// What a quota has denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttling {
    /// Periods in which somebody wanted to run.
    pub periods: u64,
    /// Those in which the quota ran out.
    pub throttled_periods: u64,
    /// Nanoseconds that tasks had to wait.
    pub throttled_time: u64,
}

/// Processors and memory nodes; the flags are version 1's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CpusetStats {
    /// Processors that may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<u16>,
    /// `cpuset.cpu_exclusive`
    pub cpu_exclusive: u64,
    /// Memory nodes that may be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mems: Vec<u16>,
    /// `cpuset.mem_hardwall`
    pub mem_hardwall: u64,
    /// `cpuset.mem_exclusive`
    pub mem_exclusive: u64,
    /// `cpuset.memory_migrate`
    pub memory_migrate: u64,
    /// `cpuset.memory_spread_page`
    pub memory_spread_page: u64,
    /// `cpuset.memory_spread_slab`
    pub memory_spread_slab: u64,
    /// `cpuset.memory_pressure`
    pub memory_pressure: u64,
    /// `cpuset.sched_load_balance`
    pub sched_load_balance: u64,
    /// `cpuset.sched_relax_domain_level`
    pub sched_relax_domain_level: i64,
}

/// Memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MemoryStats {
    /// Page cache.
    pub cache: u64,
    /// Memory.
    pub usage: MemoryEntry,
    /// Memory and swap together.
    pub swap: MemoryEntry,
    /// Kernel memory.
    pub kernel: MemoryEntry,
    /// Kernel memory for TCP buffers (v1).
    #[serde(rename = "kernelTCP")]
    pub kernel_tcp: MemoryEntry,
    /// `memory.stat`, word for word: `inactive_file`, `rss` or `anon`, and so on.
    pub raw: BTreeMap<String, u64>,
    /// Time waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Psi>,
}

/// One kind of memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryEntry {
    /// The limit; [`u64::MAX`] is none on version 2, 9223372036854771712 on version 1.
    pub limit: u64,
    /// Now.
    pub usage: u64,
    /// At most, so far.
    pub max: u64,
    /// How often the limit was hit.
    pub failcnt: u64,
}

/// Tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PidsStats {
    /// Now.
    pub current: u64,
    /// At most; 0 is no limit.
    pub limit: u64,
}

/// Block devices, each list with one entry for a device and a kind of operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlkioStats {
    /// Bytes.
    pub io_service_bytes_recursive: Vec<BlkioEntry>,
    /// Operations.
    pub io_serviced_recursive: Vec<BlkioEntry>,
    /// Time waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psi: Option<Psi>,
}

/// One number about a block device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BlkioEntry {
    /// Major number.
    pub major: u64,
    /// Minor number.
    pub minor: u64,
    /// `Read`, `Write`, …
    pub op: String,
    /// The number.
    pub value: u64,
}

/// One huge page size, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HugetlbStats {
    /// Now.
    pub usage: u64,
    /// At most, so far (v1).
    pub max: u64,
    /// How often the limit was hit.
    pub failcnt: u64,
}

/// Pressure stall information, <https://docs.kernel.org/accounting/psi.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Psi {
    /// At least one task waited.
    pub some: PsiData,
    /// All tasks waited.
    pub full: PsiData,
}

/// Shares of time in percent, and microseconds in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PsiData {
    /// Over ten seconds.
    pub avg10: f64,
    /// Over a minute.
    pub avg60: f64,
    /// Over five minutes.
    pub avg300: f64,
    /// Microseconds since the group was made.
    pub total: u64,
}

/// One network interface, as runc spells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs)]
pub struct InterfaceStats {
    pub name: String,
    pub rx_bytes: u64,
    pub rx_packets: u64,
    pub rx_errors: u64,
    pub rx_dropped: u64,
    pub tx_bytes: u64,
    pub tx_packets: u64,
    pub tx_errors: u64,
    pub tx_dropped: u64,
}

impl Cgroup {
    /// Reads what the group has used.
    ///
    /// # Errors
    /// [`crate::Error::NotFound`] and its like when the group is gone.
    pub fn stats(&self) -> Result<Stats> {
        let mut stats = Stats::default();
        match self.place("cpuacct", "cpu") {
            Some(Place::V1(dir)) => stats.cpu.usage = v1::cpu_usage(dir)?,
            // Version 2 counts CPU time with or without its controller.
            _ => self
                .unified()
                .map_or(Ok(()), |unified| v2::cpu(&unified.dir, &mut stats.cpu))?,
        }
        if let Some(dir) = self.v1("cpu") {
            stats.cpu.throttling = v1::throttling(dir)?;
        }
        match self.place("cpuset", "cpuset") {
            Some(Place::V1(dir)) => stats.cpuset = v1::cpuset(dir)?,
            Some(Place::V2(dir)) => stats.cpuset = v2::cpuset(dir)?,
            None => {}
        }
        match self.place("memory", "memory") {
            Some(Place::V1(dir)) => stats.memory = v1::memory(dir)?,
            Some(Place::V2(dir)) => stats.memory = v2::memory(dir)?,
            None => {}
        }
        match self.place("blkio", "io") {
            Some(Place::V1(dir)) => stats.blkio = v1::blkio(dir)?,
            Some(Place::V2(dir)) => stats.blkio = v2::io(dir)?,
            None => {}
        }
        match self.place("hugetlb", "hugetlb") {
            Some(Place::V1(dir)) => stats.hugetlb = v1::hugetlb(dir)?,
            Some(Place::V2(dir)) => stats.hugetlb = v2::hugetlb(dir)?,
            None => {}
        }
        if let Some(Place::V1(dir) | Place::V2(dir)) = self.place("pids", "pids") {
            stats.pids = pids(dir)?;
        }
        if let Some(unified) = self.unified() {
            stats.cpu.psi = psi(&unified.dir, "cpu.pressure")?;
            stats.memory.psi = psi(&unified.dir, "memory.pressure")?;
            stats.blkio.psi = psi(&unified.dir, "io.pressure")?;
        }
        Ok(stats)
    }
}

fn pids(dir: &Dir) -> Result<PidsStats> {
    let limit = dir.read_number("pids.max")?;
    Ok(PidsStats {
        current: dir.read_number("pids.current")?,
        limit: if limit == u64::MAX { 0 } else { limit },
    })
}

fn psi(dir: &Dir, file: &str) -> Result<Option<Psi>> {
    Ok(dir.read_if_there(file)?.map(|text| parse::psi(&text)))
}

/// The page sizes of a hugetlb directory, found by the files' names.
fn page_sizes(dir: &Dir, end: &str) -> Result<Vec<String>> {
    let size = |file: OsString| {
        let size = file
            .to_str()?
            .strip_prefix("hugetlb.")?
            .strip_suffix(end)?
            .to_owned();
        (!size.contains('.')).then_some(size)
    };
    Ok(dir.files()?.into_iter().filter_map(size).collect())
}
