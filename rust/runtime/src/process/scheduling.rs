//! Scheduling of the process: CPU class, I/O priority, CPUs, memory policy and execution domain.

use pyctr_sys::sched::{self, SchedAttr};
use rustix::{
    io::Errno,
    thread::{CpuSet, sched_setaffinity},
};

use crate::{
    error::{Cause, Context, Error, Kind, Result},
    spec::{
        IoClass, IoPriority, MemoryPolicy, Personality, PersonalityDomain, Process, Scheduler,
        SchedulerFlag, SchedulerPolicy,
    },
};

/// Sets what `process` asks for on the caller.
pub(crate) fn apply(process: &Process) -> Result<()> {
    if let Some(scheduler) = &process.scheduler {
        sched::set_attr(&attributes(scheduler)).map_err(|errno| {
            let why = deadline_rule(scheduler, errno).unwrap_or_else(|| errno.describe());
            Error::setup(
                format!("cannot set the scheduler {}", name(scheduler.policy)),
                why,
            )
        })?;
    }
    if let Some(IoPriority { class, priority }) = process.io_priority {
        let class = match class {
            IoClass::IoprioClassRt => 1,
            IoClass::IoprioClassBe => 2,
            IoClass::IoprioClassIdle => 3,
        };
        let level = u32::try_from(priority)
            .ok()
            .filter(|level| *level < 8)
            .ok_or_else(|| {
                Error::new(
                    Kind::Invalid,
                    format!("config.json: process.ioPriority.priority: {priority} is not in 0..7"),
                )
            })?;
        sched::set_io_priority(class, level).context(|| "cannot set the I/O priority")?;
    }
    Ok(())
}

/// Which of the many rules for `SCHED_DEADLINE` in sched_setattr(2) was broken.
fn deadline_rule(scheduler: &Scheduler, errno: Errno) -> Option<String> {
    let Scheduler {
        runtime, deadline, ..
    } = *scheduler;
    let why = match (scheduler.policy, errno, runtime, deadline) {
        (SchedulerPolicy::SchedDeadline, Errno::PERM, ..) => {
            "operation not permitted (process scheduler can't be used together with AllowedCPUs)"
                .to_owned()
        }
        (SchedulerPolicy::SchedDeadline, Errno::INVAL, None, _) => "requires `runtime`".to_owned(),
        (SchedulerPolicy::SchedDeadline, Errno::INVAL, _, None) => "requires `deadline`".to_owned(),
        (SchedulerPolicy::SchedDeadline, Errno::INVAL, Some(runtime), Some(deadline)) => {
            broken(runtime, deadline, scheduler.period)?
        }
        _ => return None,
    };
    Some(match errno {
        Errno::INVAL => format!("sched_setattr: `SCHED_DEADLINE` {why}"),
        _ => why,
    })
}

fn broken(runtime: u64, deadline: u64, period: u64) -> Option<String> {
    // The kernel counts in units of 1024 ns, with a sign.
    const MOST: u64 = 1 << 63;
    if runtime == 0 {
        Some("runtime must be greater than 0".to_owned())
    } else if !(1024..MOST).contains(&runtime) {
        Some(format!("runtime {runtime} must be between 1024 and {MOST}"))
    } else if runtime > deadline {
        Some(format!("runtime {runtime} must be <= deadline {deadline}"))
    } else if period != 0 && deadline > period {
        Some(format!("deadline {deadline} must be <= period {period}"))
    } else {
        None
    }
}

fn attributes(scheduler: &Scheduler) -> SchedAttr {
    let mut attr = SchedAttr::default();
    attr.policy = match scheduler.policy {
        SchedulerPolicy::SchedOther => 0,
        SchedulerPolicy::SchedFifo => 1,
        SchedulerPolicy::SchedRr => 2,
        SchedulerPolicy::SchedBatch => 3,
        SchedulerPolicy::SchedIso => 4,
        SchedulerPolicy::SchedIdle => 5,
        SchedulerPolicy::SchedDeadline => 6,
    };
    attr.flags = scheduler.flags.iter().map(|flag| flag_bit(*flag)).sum();
    attr.nice = scheduler.nice;
    attr.priority = u32::try_from(scheduler.priority).unwrap_or_default();
    attr.runtime = scheduler.runtime.unwrap_or_default();
    attr.deadline = scheduler.deadline.unwrap_or_default();
    attr.period = scheduler.period;
    attr
}

fn name(policy: SchedulerPolicy) -> &'static str {
    match policy {
        SchedulerPolicy::SchedOther => "SCHED_OTHER",
        SchedulerPolicy::SchedFifo => "SCHED_FIFO",
        SchedulerPolicy::SchedRr => "SCHED_RR",
        SchedulerPolicy::SchedBatch => "SCHED_BATCH",
        SchedulerPolicy::SchedIso => "SCHED_ISO",
        SchedulerPolicy::SchedIdle => "SCHED_IDLE",
        SchedulerPolicy::SchedDeadline => "SCHED_DEADLINE",
    }
}

fn flag_bit(flag: SchedulerFlag) -> u64 {
    match flag {
        SchedulerFlag::SchedFlagResetOnFork => 0x01,
        SchedulerFlag::SchedFlagReclaim => 0x02,
        SchedulerFlag::SchedFlagDlOverrun => 0x04,
        SchedulerFlag::SchedFlagKeepPolicy => 0x08,
        SchedulerFlag::SchedFlagKeepParams => 0x10,
        SchedulerFlag::SchedFlagUtilClampMin => 0x20,
        SchedulerFlag::SchedFlagUtilClampMax => 0x40,
    }
}

/// Lets the caller run on every CPU of its cgroup, whatever the runtime itself was told.
pub(crate) fn reset_affinity() {
    let mut every = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|cpu| every.set(cpu));
    // The kernel leaves out what it does not have; who may not choose stays where it is.
    let _ = sched_setaffinity(None, &every);
}

/// Lets the caller run on these CPUs only (`0-3,7`).
pub(crate) fn set_affinity(list: &str) -> Result<()> {
    let mut set = CpuSet::new();
    for cpu in
        numbers(list, CpuSet::MAX_CPU).context(|| format!("process.execCPUAffinity {list:?}"))?
    {
        set.set(cpu);
    }
    sched_setaffinity(None, &set).context(|| format!("cannot run on the CPUs {list}"))
}

/// Sets the NUMA memory policy of the caller.
pub(crate) fn set_memory_policy(policy: &MemoryPolicy) -> Result<()> {
    const MODES: [(&str, u32); 7] = [
        ("MPOL_DEFAULT", 0),
        ("MPOL_PREFERRED", 1),
        ("MPOL_BIND", 2),
        ("MPOL_INTERLEAVE", 3),
        ("MPOL_LOCAL", 4),
        ("MPOL_PREFERRED_MANY", 5),
        ("MPOL_WEIGHTED_INTERLEAVE", 6),
    ];
    const FLAGS: [(&str, u32); 3] = [
        ("MPOL_F_NUMA_BALANCING", 1 << 13),
        ("MPOL_F_RELATIVE_NODES", 1 << 14),
        ("MPOL_F_STATIC_NODES", 1 << 15),
    ];
    let invalid = |what: &str, why: String| {
        Error::new(
            Kind::Invalid,
            format!("config.json: linux.memoryPolicy: invalid memory policy {what}: {why}"),
        )
    };
    let value = |table: &[(&str, u32)], what: &str, name: &str| {
        table
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
            .ok_or_else(|| invalid(what, format!("{name:?} is not known")))
    };
    let mut mode = value(&MODES, "mode", &policy.mode)?;
    for flag in &policy.flags {
        mode |= value(&FLAGS, "flag", flag)?;
    }
    let nodes = numbers(&policy.nodes, 1024).map_err(|why| invalid("node", why))?;
    if matches!(policy.mode.as_str(), "MPOL_DEFAULT" | "MPOL_LOCAL") && !nodes.is_empty() {
        let why = format!("mode requires 0 nodes but got {}", nodes.len());
        return Err(invalid("mode", why));
    }
    let mut mask = vec![0_u64; nodes.iter().max().map_or(0, |last| last / 64 + 1)];
    for node in nodes {
        mask[node / 64] |= 1 << (node % 64);
    }
    sched::set_memory_policy(mode, &mask)
        .context(|| format!("cannot set the memory policy {}", policy.mode))
}

/// Sets the execution domain of the caller.
pub(crate) fn set_personality(personality: &Personality) -> Result<()> {
    let persona = match personality.domain {
        PersonalityDomain::Linux => 0,
        PersonalityDomain::Linux32 => 8,
    };
    sched::set_personality(persona)
        .context(|| format!("cannot set the personality {:?}", personality.domain))
}

/// A list such as `0-3,7`, each number below `limit`.
fn numbers(list: &str, limit: usize) -> std::result::Result<Vec<usize>, String> {
    let bad = || format!("{list:?} is not a list such as 0-3,7 of numbers below {limit}");
    let mut found = Vec::new();
    for part in list
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse().ok().filter(|number| *number < limit);
        let (first, last): (usize, usize) = number(first).zip(number(last)).ok_or_else(bad)?;
        if first > last {
            return Err(bad());
        }
        found.extend(first..=last);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn lists_of_numbers() {
        assert_eq!(numbers("0-3,7", 8), Ok(vec![0, 1, 2, 3, 7]));
        assert_eq!(numbers(" 1 , 4-5 ", 8), Ok(vec![1, 4, 5]));
        assert_eq!(numbers("", 8), Ok(vec![]));
        for bad in ["x", "3-1", "8", "1-", "-1"] {
            assert!(numbers(bad, 8).is_err(), "{bad}");
        }
    }
}
