//! Which processors and memory nodes may be used.

use crate::{Cgroup, Cpu, Error, Result, cgroup::Place, dir::Dir};

pub(super) fn set(group: &Cgroup, cpu: &Cpu) -> Result<()> {
    let files = [
        (
            "cpu.cpus",
            "cpuset.cpus",
            ["cpuset.effective_cpus", "cpuset.cpus.effective"],
            &cpu.cpus,
        ),
        (
            "cpu.mems",
            "cpuset.mems",
            ["cpuset.effective_mems", "cpuset.mems.effective"],
            &cpu.mems,
        ),
    ];
    for (key, file, [v1, v2], list) in files {
        // An empty list would take every processor away on version 1; nobody means that.
        let Some(list) = list.as_deref().filter(|list| !list.trim().is_empty()) else {
            continue;
        };
        let (dir, effective) = match group.need("cpuset", "cpuset", key)? {
            Place::V1(dir) => (dir, v1),
            Place::V2(dir) => (dir, v2),
        };
        dir.write(file, list)
            .map_err(|error| explain(dir, effective, error))?;
    }
    Ok(())
}

fn explain(dir: &Dir, effective: &str, mut error: Error) -> Error {
    if let (Error::Refused { hint, .. }, Ok(have)) = (&mut error, dir.read(effective)) {
        *hint = format!(" (available: {have})");
    }
    error
}
