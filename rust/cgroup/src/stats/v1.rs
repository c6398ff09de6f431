//! Accounting files of version 1.

use std::collections::BTreeMap;

use super::{
    BlkioEntry, BlkioStats, CpuUsage, CpusetStats, HugetlbStats, MemoryEntry, MemoryStats,
    Throttling, page_sizes,
};
use crate::{
    Result,
    dir::{Dir, number},
    parse::{self, flat, flat_value},
};

/// The unit of `cpuacct.stat`: USER_HZ, which is part of the kernel's interface and the same everywhere we run.
const TICK: u64 = 1_000_000_000 / 100;

pub(super) fn cpu_usage(dir: &Dir) -> Result<CpuUsage> {
    let ticks = dir.read("cpuacct.stat")?;
    let mut usage = CpuUsage {
        total: dir.read_number("cpuacct.usage")?,
        user: flat_value(&ticks, "user").unwrap_or(0) * TICK,
        kernel: flat_value(&ticks, "system").unwrap_or(0) * TICK,
        ..CpuUsage::default()
    };
    // Lines of `cpu user system`, after a head line.
    for line in dir
        .read_if_there("cpuacct.usage_all")?
        .unwrap_or_default()
        .lines()
        .skip(1)
    {
        let mut columns = line
            .split(' ')
            .filter_map(|word| word.parse::<u64>().ok())
            .skip(1);
        let (user, kernel) = (columns.next().unwrap_or(0), columns.next().unwrap_or(0));
        usage.percpu.push(user + kernel);
        usage.percpu_user.push(user);
        usage.percpu_kernel.push(kernel);
    }
    Ok(usage)
}

pub(super) fn throttling(dir: &Dir) -> Result<Throttling> {
    let text = dir.read("cpu.stat")?;
    let value = |key| flat_value(&text, key).unwrap_or(0);
    Ok(Throttling {
        periods: value("nr_periods"),
        throttled_periods: value("nr_throttled"),
        throttled_time: value("throttled_time"),
    })
}

pub(super) fn cpuset(dir: &Dir) -> Result<CpusetStats> {
    // Kernels differ in which of the flags they have.
    let flag = |file: &str| -> Result<u64> {
        let text = dir.read_if_there(&format!("cpuset.{file}"))?;
        Ok(text.and_then(|text| number(&text)).unwrap_or(0))
    };
    Ok(CpusetStats {
        cpus: parse::list(&dir.read("cpuset.cpus")?),
        cpu_exclusive: flag("cpu_exclusive")?,
        mems: parse::list(&dir.read("cpuset.mems")?),
        mem_hardwall: flag("mem_hardwall")?,
        mem_exclusive: flag("mem_exclusive")?,
        memory_migrate: flag("memory_migrate")?,
        memory_spread_page: flag("memory_spread_page")?,
        memory_spread_slab: flag("memory_spread_slab")?,
        memory_pressure: flag("memory_pressure")?,
        sched_load_balance: flag("sched_load_balance")?,
        sched_relax_domain_level: dir
            .read("cpuset.sched_relax_domain_level")?
            .parse()
            .unwrap_or(-1),
    })
}

pub(super) fn memory(dir: &Dir) -> Result<MemoryStats> {
    let raw: BTreeMap<String, u64> = flat(&dir.read("memory.stat")?)
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    Ok(MemoryStats {
        cache: raw.get("cache").copied().unwrap_or(0),
        usage: entry(dir, "memory")?,
        swap: entry(dir, "memory.memsw")?,
        kernel: entry(dir, "memory.kmem")?,
        kernel_tcp: entry(dir, "memory.kmem.tcp")?,
        raw,
        psi: None,
    })
}

/// Four files of one kind of memory; a kernel that does not account it has none of them.
fn entry(dir: &Dir, prefix: &str) -> Result<MemoryEntry> {
    let usage = format!("{prefix}.usage_in_bytes");
    if !dir.exists(&usage) {
        return Ok(MemoryEntry::default());
    }
    Ok(MemoryEntry {
        usage: dir.read_number(&usage)?,
        limit: dir.read_number(&format!("{prefix}.limit_in_bytes"))?,
        max: dir.read_number(&format!("{prefix}.max_usage_in_bytes"))?,
        failcnt: dir.read_number(&format!("{prefix}.failcnt"))?,
    })
}

/// Several schedulers count; the one that is at work is the first whose file has something in it.
pub(super) fn blkio(dir: &Dir) -> Result<BlkioStats> {
    let first = |end: &str| -> Result<Vec<BlkioEntry>> {
        for prefix in ["blkio.bfq", "blkio", "blkio.throttle"] {
            let text = dir
                .read_if_there(&format!("{prefix}.{end}_recursive"))?
                .unwrap_or_default();
            let entries: Vec<BlkioEntry> = text.lines().filter_map(blkio_entry).collect();
            if !entries.is_empty() {
                return Ok(entries);
            }
        }
        Ok(Vec::new())
    };
    Ok(BlkioStats {
        io_service_bytes_recursive: first("io_service_bytes")?,
        io_serviced_recursive: first("io_serviced")?,
        psi: None,
    })
}

/// A line such as `8:0 Read 4096`; the line of the sum has no device.
fn blkio_entry(line: &str) -> Option<BlkioEntry> {
    let mut words = line.split_whitespace();
    let (major, minor) = words.next()?.split_once(':')?;
    Some(BlkioEntry {
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
        op: words.next()?.to_owned(),
        value: words.next()?.parse().ok()?,
    })
}

pub(super) fn hugetlb(dir: &Dir) -> Result<BTreeMap<String, HugetlbStats>> {
    let stats = |size: String| {
        let number = |end: &str| dir.read_number(&format!("hugetlb.{size}.{end}"));
        let stats = HugetlbStats {
            usage: number("usage_in_bytes")?,
            max: number("max_usage_in_bytes")?,
            failcnt: number("failcnt")?,
        };
        Ok((size, stats))
    };
    page_sizes(dir, ".usage_in_bytes")?
        .into_iter()
        .map(stats)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_lines() {
        let entry = blkio_entry("259:1 Write 4096").expect("a line");
        assert_eq!(
            (entry.major, entry.minor, entry.op.as_str(), entry.value),
            (259, 1, "Write", 4096)
        );
        assert_eq!(blkio_entry("Total 4096"), None);
        assert_eq!(blkio_entry("259:1 4096"), None);
    }
}
