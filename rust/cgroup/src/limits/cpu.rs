//! CPU time.

use super::{nonzero, write_dependent};
use crate::{Cgroup, Cpu, Error, Result, cgroup::Place, convert, dir::Dir};

const SHARES: std::ops::RangeInclusive<u64> = 2..=262_144;
/// What both versions start with.
const PERIOD: u64 = 100_000;

pub(super) fn set(group: &Cgroup, cpu: &Cpu) -> Result<()> {
    let Some(key) = first_key(cpu) else {
        return Ok(());
    };
    match group.need("cpu", "cpu", key)? {
        Place::V1(dir) => v1(dir, cpu),
        Place::V2(dir) => v2(dir, cpu),
    }
}

fn first_key(cpu: &Cpu) -> Option<&'static str> {
    let keys = [
        (nonzero(cpu.shares).is_some(), "cpu.shares"),
        (nonzero(cpu.quota).is_some(), "cpu.quota"),
        (nonzero(cpu.period).is_some(), "cpu.period"),
        (cpu.burst.is_some(), "cpu.burst"),
        (cpu.idle.is_some(), "cpu.idle"),
        (
            nonzero(cpu.realtime_runtime).is_some(),
            "cpu.realtimeRuntime",
        ),
        (nonzero(cpu.realtime_period).is_some(), "cpu.realtimePeriod"),
    ];
    keys.into_iter()
        .find_map(|(asked, key)| asked.then_some(key))
}

fn v1(dir: &Dir, cpu: &Cpu) -> Result<()> {
    let shares = nonzero(cpu.shares);
    if let Some(shares) = shares.filter(|shares| !SHARES.contains(shares)) {
        // The kernel would round in silence.
        let (least, most) = (SHARES.start(), SHARES.end());
        let reason = format!("{shares} is not between {least} and {most}");
        return Err(Error::Invalid {
            key: "cpu.shares",
            reason,
        });
    }
    set_weight(
        dir,
        "cpu.shares",
        shares.map(|shares| shares.to_string()),
        cpu.idle,
    )?;
    write_dependent(
        dir,
        present([
            (
                "cpu.cfs_period_us",
                nonzero(cpu.period).map(|us| us.to_string()),
            ),
            ("cpu.cfs_burst_us", cpu.burst.map(|us| us.to_string())),
            (
                "cpu.cfs_quota_us",
                nonzero(cpu.quota).map(|us| us.max(-1).to_string()),
            ),
        ]),
    )?;
    write_dependent(
        dir,
        present([
            (
                "cpu.rt_period_us",
                nonzero(cpu.realtime_period).map(|us| us.to_string()),
            ),
            (
                "cpu.rt_runtime_us",
                nonzero(cpu.realtime_runtime).map(|us| us.to_string()),
            ),
        ]),
    )
}

fn v2(dir: &Dir, cpu: &Cpu) -> Result<()> {
    if nonzero(cpu.realtime_runtime).is_some() || nonzero(cpu.realtime_period).is_some() {
        return Err(Error::Unsupported {
            key: "cpu.realtimeRuntime",
            version: "v2",
        });
    }
    let weight = nonzero(cpu.shares).map(|shares| convert::weight_of_shares(shares).to_string());
    set_weight(dir, "cpu.weight", weight, cpu.idle)?;
    write_dependent(
        dir,
        present([
            ("cpu.max.burst", cpu.burst.map(|us| us.to_string())),
            (
                "cpu.max",
                bandwidth(dir, nonzero(cpu.quota), nonzero(cpu.period))?,
            ),
        ]),
    )
}

/// An idle group has no weight to set: it must wake up first, or be put to sleep last.
fn set_weight(dir: &Dir, file: &str, weight: Option<String>, idle: Option<i64>) -> Result<()> {
    let set_idle = |idle: i64| dir.write("cpu.idle", &idle.to_string());
    idle.filter(|idle| *idle == 0).map_or(Ok(()), set_idle)?;
    weight.map_or(Ok(()), |weight| dir.write(file, &weight))?;
    idle.filter(|idle| *idle != 0).map_or(Ok(()), set_idle)
}

/// `cpu.max` holds quota and period; the one that is not named keeps its value.
fn bandwidth(dir: &Dir, quota: Option<i64>, period: Option<u64>) -> Result<Option<String>> {
    if quota.is_none() && period.is_none() {
        return Ok(None);
    }
    let current = if quota.is_some() && period.is_some() {
        String::new()
    } else {
        dir.read("cpu.max")?
    };
    let (old_quota, old_period) = current.split_once(' ').unwrap_or(("max", ""));
    let quota = quota.map_or(old_quota.to_owned(), super::or_max);
    let period = period.or(old_period.parse().ok()).unwrap_or(PERIOD);
    Ok(Some(format!("{quota} {period}")))
}

fn present<const N: usize>(
    files: [(&'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    files
        .into_iter()
        .filter_map(|(file, value)| Some((file, value?)))
        .collect()
}
