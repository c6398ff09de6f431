//! Accounting files of version 2, told in the terms of version 1.

use std::collections::BTreeMap;

use super::{
    BlkioEntry, BlkioStats, CpuStats, CpusetStats, HugetlbStats, MemoryEntry, MemoryStats,
    page_sizes,
};
use crate::{
    Result,
    dir::{Dir, number},
    parse::{self, flat, flat_value},
};

const NANOSECONDS: u64 = 1000;

pub(super) fn cpu(dir: &Dir, stats: &mut CpuStats) -> Result<()> {
    let text = dir.read("cpu.stat")?;
    let value = |key| flat_value(&text, key).unwrap_or(0);
    stats.usage.total = value("usage_usec") * NANOSECONDS;
    stats.usage.user = value("user_usec") * NANOSECONDS;
    stats.usage.kernel = value("system_usec") * NANOSECONDS;
    stats.throttling.periods = value("nr_periods");
    stats.throttling.throttled_periods = value("nr_throttled");
    stats.throttling.throttled_time = value("throttled_usec") * NANOSECONDS;
    Ok(())
}

pub(super) fn cpuset(dir: &Dir) -> Result<CpusetStats> {
    Ok(CpusetStats {
        cpus: parse::list(&dir.read("cpuset.cpus.effective")?),
        mems: parse::list(&dir.read("cpuset.mems.effective")?),
        ..CpusetStats::default()
    })
}

pub(super) fn memory(dir: &Dir) -> Result<MemoryStats> {
    let raw: BTreeMap<String, u64> = flat(&dir.read("memory.stat")?)
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let value = |key: &str| raw.get(key).copied().unwrap_or(0);
    let usage = entry(dir, "memory")?;
    let swap = entry(dir, "memory.swap")?;
    Ok(MemoryStats {
        cache: value("file"),
        usage,
        // Here swap is counted apart; there it includes memory.
        swap: MemoryEntry {
            limit: swap.limit.saturating_add(usage.limit),
            usage: swap.usage + usage.usage,
            ..swap
        },
        kernel: MemoryEntry {
            usage: value("kernel"),
            limit: u64::MAX,
            ..MemoryEntry::default()
        },
        kernel_tcp: MemoryEntry {
            usage: value("sock"),
            limit: u64::MAX,
            ..MemoryEntry::default()
        },
        raw,
        psi: None,
    })
}

fn entry(dir: &Dir, prefix: &str) -> Result<MemoryEntry> {
    let number_in = |end: &str| -> Result<Option<u64>> {
        Ok(dir
            .read_if_there(&format!("{prefix}.{end}"))?
            .and_then(|text| number(&text)))
    };
    let events = dir
        .read_if_there(&format!("{prefix}.events"))?
        .unwrap_or_default();
    Ok(MemoryEntry {
        usage: number_in("current")?.unwrap_or(0),
        limit: number_in("max")?.unwrap_or(0),
        max: number_in("peak")?.unwrap_or(0),
        failcnt: flat_value(&events, "max").unwrap_or(0),
    })
}

/// Lines such as `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`.
pub(super) fn io(dir: &Dir) -> Result<BlkioStats> {
    let mut stats = BlkioStats::default();
    for line in dir.read("io.stat")?.lines() {
        let mut words = line.split_whitespace();
        let Some((major, minor)) = words.next().and_then(|device| device.split_once(':')) else {
            continue;
        };
        let (Ok(major), Ok(minor)) = (major.parse(), minor.parse()) else {
            continue;
        };
        for (key, value) in words.filter_map(|word| word.split_once('=')) {
            let (list, op) = match key {
                "rbytes" => (&mut stats.io_service_bytes_recursive, "Read"),
                "wbytes" => (&mut stats.io_service_bytes_recursive, "Write"),
                "dbytes" => (&mut stats.io_service_bytes_recursive, "Discard"),
                "rios" => (&mut stats.io_serviced_recursive, "Read"),
                "wios" => (&mut stats.io_serviced_recursive, "Write"),
                "dios" => (&mut stats.io_serviced_recursive, "Discard"),
                _ => continue,
            };
            list.push(BlkioEntry {
                major,
                minor,
                op: op.to_owned(),
                value: value.parse().unwrap_or(0),
            });
        }
    }
    Ok(stats)
}

pub(super) fn hugetlb(dir: &Dir) -> Result<BTreeMap<String, HugetlbStats>> {
    let stats = |size: String| {
        let events = dir
            .read_if_there(&format!("hugetlb.{size}.events"))?
            .unwrap_or_default();
        let stats = HugetlbStats {
            usage: dir.read_number(&format!("hugetlb.{size}.current"))?,
            max: 0,
            failcnt: flat_value(&events, "max").unwrap_or(0),
        };
        Ok((size, stats))
    };
    page_sizes(dir, ".current")?
        .into_iter()
        .map(stats)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> (tempfile::TempDir, Dir) {
        let root = tempfile::tempdir().expect("a directory");
        for (file, content) in files {
            std::fs::write(root.path().join(file), content).expect("written");
        }
        let dir = Dir::open(root.path().to_owned()).expect("opened");
        (root, dir)
    }

    #[test]
    fn memory_and_swap_are_added_up() {
        let (_root, dir) = directory(&[
            ("memory.stat", "anon 5\nfile 7\nkernel 9\ninactive_file 3\n"),
            ("memory.current", "100\n"),
            ("memory.max", "200\n"),
            ("memory.peak", "150\n"),
            ("memory.events", "low 0\nmax 4\noom_kill 1\n"),
            ("memory.swap.current", "10\n"),
            ("memory.swap.max", "max\n"),
        ]);
        let stats = memory(&dir).expect("read");
        assert_eq!(
            stats.usage,
            MemoryEntry {
                limit: 200,
                usage: 100,
                max: 150,
                failcnt: 4
            }
        );
        assert_eq!((stats.swap.usage, stats.swap.limit), (110, u64::MAX));
        assert_eq!(
            (stats.cache, stats.kernel.usage, stats.raw["inactive_file"]),
            (7, 9, 3)
        );
    }

    #[test]
    fn block_devices() {
        let (_root, dir) = directory(&[(
            "io.stat",
            "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n7:0 \n",
        )]);
        let stats = io(&dir).expect("read");
        let shown: Vec<_> = stats
            .io_service_bytes_recursive
            .iter()
            .map(|e| (e.op.as_str(), e.value))
            .collect();
        assert_eq!(shown, [("Read", 1), ("Write", 2), ("Discard", 5)]);
        assert_eq!(stats.io_serviced_recursive.len(), 3);
    }

    #[test]
    fn huge_pages() {
        let (_root, dir) = directory(&[
            ("hugetlb.2MB.current", "4096\n"),
            ("hugetlb.2MB.rsvd.current", "1\n"),
            ("hugetlb.2MB.events", "max 3\n"),
        ]);
        let stats = hugetlb(&dir).expect("read");
        assert_eq!(
            stats.into_iter().collect::<Vec<_>>(),
            [(
                "2MB".into(),
                HugetlbStats {
                    usage: 4096,
                    max: 0,
                    failcnt: 3
                }
            )]
        );
    }

    #[test]
    fn processor_time_is_told_in_nanoseconds() {
        let (_root, dir) = directory(&[(
            "cpu.stat",
            "usage_usec 3\nuser_usec 2\nsystem_usec 1\nthrottled_usec 4\n",
        )]);
        let mut stats = CpuStats::default();
        cpu(&dir, &mut stats).expect("read");
        assert_eq!(
            (
                stats.usage.total,
                stats.usage.user,
                stats.throttling.throttled_time
            ),
            (3000, 2000, 4000)
        );
    }
}
