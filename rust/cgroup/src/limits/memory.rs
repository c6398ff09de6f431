//! Memory and swap.

use rustix::io::Errno;

use super::{nonzero, or_max, write_dependent};
use crate::{Cgroup, Error, Memory, Result, cgroup::Place, dir::Dir};

const LIMIT: &str = "memory.limit_in_bytes";
const WITH_SWAP: &str = "memory.memsw.limit_in_bytes";

pub(super) fn set(group: &Cgroup, memory: &Memory) -> Result<()> {
    let Some(key) = first_key(memory) else {
        return Ok(());
    };
    match group.need("memory", "memory", key)? {
        Place::V1(dir) => v1(dir, memory),
        Place::V2(dir) => v2(dir, memory),
    }
}

/// What is asked for, by the name of the first member that needs the controller.
fn first_key(memory: &Memory) -> Option<&'static str> {
    let keys = [
        (nonzero(memory.limit).is_some(), "memory.limit"),
        (nonzero(memory.swap).is_some(), "memory.swap"),
        (nonzero(memory.reservation).is_some(), "memory.reservation"),
        (nonzero(memory.kernel_tcp).is_some(), "memory.kernelTCP"),
        (memory.swappiness.is_some(), "memory.swappiness"),
        (
            memory.disable_oom_killer == Some(true),
            "memory.disableOOMKiller",
        ),
    ];
    keys.into_iter()
        .find_map(|(asked, key)| asked.then_some(key))
}

fn v1(dir: &Dir, memory: &Memory) -> Result<()> {
    limits_v1(dir, memory)?;
    if let Some(bytes) = nonzero(memory.reservation) {
        dir.write("memory.soft_limit_in_bytes", &bytes.to_string())?;
    }
    if let Some(bytes) = nonzero(memory.kernel_tcp) {
        dir.write("memory.kmem.tcp.limit_in_bytes", &bytes.to_string())?;
    }
    if memory.disable_oom_killer == Some(true) {
        dir.write("memory.oom_control", "1")?;
    }
    match memory.swappiness {
        Some(percent) if percent > 100 => Err(Error::Invalid {
            key: "memory.swappiness",
            reason: format!("{percent} is not between 0 and 100"),
        }),
        Some(percent) => dir.write("memory.swappiness", &percent.to_string()),
        None => Ok(()),
    }
}

fn limits_v1(dir: &Dir, memory: &Memory) -> Result<()> {
    let limit = nonzero(memory.limit);
    // No limit of memory implies none of memory+swap, which could only be lower.
    let with_swap = nonzero(memory.swap).or(limit.filter(|bytes| *bytes == -1));
    // A kernel that does not account swap has nothing to lift.
    let counted = with_swap.is_some() && dir.exists(WITH_SWAP);
    let with_swap = with_swap.filter(|bytes| *bytes != -1 || counted);
    if with_swap.is_some() && !counted {
        return Err(no_swap());
    }
    let files = [(LIMIT, limit), (WITH_SWAP, with_swap)];
    let files = files
        .into_iter()
        .filter_map(|(file, bytes)| Some((file, bytes?.to_string())))
        .collect();
    write_dependent(dir, files).map_err(|error| explain_v1(dir, error))
}

/// Says what stands in the way of a limit that the kernel refused.
fn explain_v1(dir: &Dir, mut error: Error) -> Error {
    let errno = error.errno();
    if let Error::Refused { key, hint, .. } = &mut error {
        let current = |file| dir.read(file).unwrap_or_default();
        *hint = match errno {
            Some(Errno::BUSY) => format!(" (current usage {})", current("memory.usage_in_bytes")),
            Some(Errno::INVAL) if key == LIMIT => {
                format!(
                    " (memory may not exceed memory+swap, which is {})",
                    current(WITH_SWAP)
                )
            }
            Some(Errno::INVAL) => format!(
                " (memory+swap may not be below memory, which is {})",
                current(LIMIT)
            ),
            _ => return error,
        };
    }
    error
}

fn v2(dir: &Dir, memory: &Memory) -> Result<()> {
    for (asked, key) in [
        (nonzero(memory.kernel_tcp).is_some(), "memory.kernelTCP"),
        (memory.swappiness.is_some(), "memory.swappiness"),
        (
            memory.disable_oom_killer == Some(true),
            "memory.disableOOMKiller",
        ),
    ] {
        if asked {
            return Err(Error::Unsupported { key, version: "v2" });
        }
    }
    check_usage(dir, memory)?;
    if let Some(swap) = swap_v2(dir, memory)? {
        match dir.write("memory.swap.max", &swap) {
            Err(error) if error.errno() != Some(Errno::NOENT) => return Err(error),
            // A kernel without swap has none to forbid or to allow.
            Err(_) if swap != "0" && swap != "max" => return Err(no_swap()),
            _ => {}
        }
    }
    if let Some(bytes) = nonzero(memory.limit) {
        dir.write("memory.max", &or_max(bytes))?;
    }
    nonzero(memory.reservation).map_or(Ok(()), |bytes| dir.write("memory.low", &or_max(bytes)))
}

/// Version 1 always refuses a limit that cannot be reached by reclaim; version 2 starts killing instead.
fn check_usage(dir: &Dir, memory: &Memory) -> Result<()> {
    let limit = memory
        .limit
        .and_then(|bytes| u64::try_from(bytes).ok())
        .filter(|bytes| *bytes > 0);
    let (Some(limit), Some(true)) = (limit, memory.check_before_update) else {
        return Ok(());
    };
    let usage = dir.read_number("memory.current")?;
    if usage <= limit {
        return Ok(());
    }
    Err(Error::Invalid {
        key: "memory.limit",
        reason: format!("{limit} is below the current usage of {usage}"),
    })
}

/// Version 2 limits swap alone where the specification says memory+swap.
fn swap_v2(dir: &Dir, memory: &Memory) -> Result<Option<String>> {
    let limit = nonzero(memory.limit);
    let Some(with_swap) = nonzero(memory.swap) else {
        return Ok(limit.filter(|bytes| *bytes == -1).map(or_max));
    };
    if with_swap < 0 {
        return Ok(Some("max".to_owned()));
    }
    let limit = match limit {
        Some(bytes) => u64::try_from(bytes).unwrap_or(u64::MAX),
        None => dir.read_number("memory.max")?,
    };
    let with_swap = with_swap.unsigned_abs();
    if limit == u64::MAX {
        return Ok(Some(with_swap.to_string()));
    }
    let swap = with_swap.checked_sub(limit).ok_or_else(|| Error::Invalid {
        key: "memory.swap",
        reason: format!("{with_swap} is below the memory limit of {limit}, which it includes"),
    })?;
    Ok(Some(swap.to_string()))
}

fn no_swap() -> Error {
    Error::Unavailable {
        key: "memory.swap".to_owned(),
        controller: "memory swap".to_owned(),
    }
}
