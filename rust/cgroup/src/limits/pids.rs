//! Number of tasks.

use super::or_max;
use crate::{Cgroup, Pids, Result, cgroup::Place};

pub(super) fn set(group: &Cgroup, pids: &Pids) -> Result<()> {
    let Some(limit) = pids.limit else {
        return Ok(());
    };
    if limit < 0 && group.place("pids", "pids").is_none() {
        // What cannot be limited is unlimited.
        return Ok(());
    }
    let (Place::V1(dir) | Place::V2(dir)) = group.need("pids", "pids", "pids.limit")?;
    // Nothing could run in a group of none, not even its first process.
    dir.write("pids.max", &or_max(if limit == 0 { 1 } else { limit }))
}
