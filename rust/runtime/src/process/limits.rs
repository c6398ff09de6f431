//! Resource limits and the OOM score of a process, set from outside before its program starts.

use rustix::{
    io::Errno,
    process::{Pid, Resource, Rlimit as Pair, getrlimit, prlimit, setrlimit},
};

use crate::{
    error::{Context, Result},
    procfs::Procfs,
    spec::{Process, Rlimit, RlimitType},
};

/// Sets the limits and the OOM score of `pid`; what we may not set is clamped to what we may, and told to `warn`. Limits of a
/// process of another user are not ours to set without `CAP_SYS_RESOURCE`; [`settle`] makes up for it.
pub(crate) fn apply(
    procfs: &Procfs,
    pid: Pid,
    process: &Process,
    warn: &mut dyn FnMut(String),
) -> Result<()> {
    for limit in &process.rlimits {
        set_rlimit(pid, limit, warn)?;
    }
    if let Some(score) = process.oom_score_adj {
        set_oom_score(procfs, pid, score, warn)?;
    }
    Ok(())
}

fn set_rlimit(pid: Pid, limit: &Rlimit, warn: &mut dyn FnMut(String)) -> Result<()> {
    let resource = resource(limit.kind);
    let wanted = Pair {
        current: finite(limit.soft),
        maximum: finite(limit.hard),
    };
    match prlimit(Some(pid), resource, wanted) {
        Err(Errno::PERM) => {}
        other => {
            return other
                .map(drop)
                .context(|| format!("cannot set {}", name(limit.kind)));
        }
    }
    let (clamped, own) = within(limit, getrlimit(resource).maximum);
    match prlimit(Some(pid), resource, clamped) {
        Ok(_) | Err(Errno::PERM) => {}
        Err(errno) => return Err(errno).context(|| format!("cannot set {}", name(limit.kind))),
    }
    if limit.hard > own {
        warn(format!(
            "{} is limited to {own}, as CAP_SYS_RESOURCE is missing to raise it",
            name(limit.kind)
        ));
    }
    Ok(())
}

/// Sets the limits on the caller itself: lowering them is everybody's right, and what was set from outside is confirmed.
pub(crate) fn settle(process: &Process) -> Result<()> {
    for limit in &process.rlimits {
        let resource = resource(limit.kind);
        let (clamped, _) = within(limit, getrlimit(resource).maximum);
        setrlimit(resource, clamped).context(|| format!("cannot set {}", name(limit.kind)))?;
    }
    Ok(())
}

/// A limit that does not go above the hard one in force, and that one as a number.
fn within(limit: &Rlimit, maximum: Option<u64>) -> (Pair, u64) {
    let most = maximum.unwrap_or(u64::MAX);
    let clamped = Pair {
        current: finite(limit.soft.min(most)),
        maximum: finite(limit.hard.min(most)),
    };
    (clamped, most)
}

fn set_oom_score(
    procfs: &Procfs,
    pid: Pid,
    score: i32,
    warn: &mut dyn FnMut(String),
) -> Result<()> {
    let file = format!("{}/oom_score_adj", pid.as_raw_nonzero());
    match procfs.write(&file, &score.to_string()) {
        // Only CAP_SYS_RESOURCE may go below the lowest value ever set with it: what we have is the nearest.
        Err(Errno::ACCESS) => {
            let now = procfs
                .read(&file)
                .context(|| format!("cannot read /proc/{file}"))?;
            warn(format!(
                "the OOM score stays at {}, as CAP_SYS_RESOURCE is missing to lower it to {score}",
                now.trim()
            ));
            Ok(())
        }
        other => other.context(|| format!("cannot set the OOM score to {score}")),
    }
}

fn finite(value: u64) -> Option<u64> {
    (value != u64::MAX).then_some(value)
}

fn resource(kind: RlimitType) -> Resource {
    match kind {
        RlimitType::As => Resource::As,
        RlimitType::Core => Resource::Core,
        RlimitType::Cpu => Resource::Cpu,
        RlimitType::Data => Resource::Data,
        RlimitType::Fsize => Resource::Fsize,
        RlimitType::Locks => Resource::Locks,
        RlimitType::Memlock => Resource::Memlock,
        RlimitType::Msgqueue => Resource::Msgqueue,
        RlimitType::Nice => Resource::Nice,
        RlimitType::Nofile => Resource::Nofile,
        RlimitType::Nproc => Resource::Nproc,
        RlimitType::Rss => Resource::Rss,
        RlimitType::Rtprio => Resource::Rtprio,
        RlimitType::Rttime => Resource::Rttime,
        RlimitType::Sigpending => Resource::Sigpending,
        RlimitType::Stack => Resource::Stack,
    }
}

fn name(kind: RlimitType) -> String {
    format!("RLIMIT_{kind:?}").to_uppercase()
}
