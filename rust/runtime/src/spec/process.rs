//! `process` of `config.json`: what runs and with which rights.

use serde::Deserialize;

/// A process in a container: the first one, or one added by `exec`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Program and arguments; the program is looked up in the container's `PATH`.
    #[serde(default)]
    pub args: Vec<String>,
    /// Environment, `NAME=value`; nothing is inherited.
    #[serde(default)]
    pub env: Vec<String>,
    /// Working directory, absolute, inside the container.
    pub cwd: String,
    /// Give it a terminal.
    #[serde(default)]
    pub terminal: bool,
    /// Size of that terminal.
    pub console_size: Option<ConsoleSize>,
    /// User, groups and umask.
    #[serde(default)]
    pub user: User,
    /// The five capability sets; absent means none at all.
    pub capabilities: Option<Capabilities>,
    /// Resource limits.
    #[serde(default)]
    pub rlimits: Vec<Rlimit>,
    /// Set `no_new_privs`, so that set-uid programs and file capabilities give nothing.
    #[serde(default)]
    pub no_new_privileges: bool,
    /// AppArmor profile to run under.
    pub apparmor_profile: Option<String>,
    /// SELinux label to run under.
    pub selinux_label: Option<String>,
    /// `/proc/self/oom_score_adj`, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
    /// CPU scheduling, see `sched_setattr(2)`.
    pub scheduler: Option<Scheduler>,
    /// I/O priority, see `ioprio_set(2)`.
    pub io_priority: Option<IoPriority>,
    /// CPUs an `exec` process may use before and after it joins the container's cgroup.
    #[serde(rename = "execCPUAffinity")]
    pub exec_cpu_affinity: Option<CpuAffinity>,
}

/// Size of a terminal in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct ConsoleSize {
    /// Rows.
    pub height: u16,
    /// Columns.
    pub width: u16,
}

/// Who the process runs as, in the container's user namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary groups.
    pub additional_gids: Vec<u32>,
    /// File mode creation mask; 0022 if absent.
    pub umask: Option<u32>,
}

/// The five capability sets of `capabilities(7)`, by name (`CAP_CHOWN`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// What no `execve` can ever give back once dropped.
    pub bounding: Vec<String>,
    /// What checks look at.
    pub effective: Vec<String>,
    /// What may be made effective.
    pub permitted: Vec<String>,
    /// What is kept over `execve` of a program with matching file capabilities.
    pub inheritable: Vec<String>,
    /// What is kept over `execve` of any unprivileged program.
    pub ambient: Vec<String>,
}

/// One resource limit, see `getrlimit(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Rlimit {
    /// Which.
    #[serde(rename = "type")]
    pub kind: RlimitType,
    /// What the kernel enforces; `u64::MAX` is no limit.
    pub soft: u64,
    /// How far the soft limit may be raised.
    pub hard: u64,
}

/// The resources that have a limit.
#[allow(missing_docs, reason = "the names are those of getrlimit(2)")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum RlimitType {
    #[serde(rename = "RLIMIT_AS")]
    As,
    #[serde(rename = "RLIMIT_CORE")]
    Core,
    #[serde(rename = "RLIMIT_CPU")]
    Cpu,
    #[serde(rename = "RLIMIT_DATA")]
    Data,
    #[serde(rename = "RLIMIT_FSIZE")]
    Fsize,
    #[serde(rename = "RLIMIT_LOCKS")]
    Locks,
    #[serde(rename = "RLIMIT_MEMLOCK")]
    Memlock,
    #[serde(rename = "RLIMIT_MSGQUEUE")]
    Msgqueue,
    #[serde(rename = "RLIMIT_NICE")]
    Nice,
    #[serde(rename = "RLIMIT_NOFILE")]
    Nofile,
    #[serde(rename = "RLIMIT_NPROC")]
    Nproc,
    #[serde(rename = "RLIMIT_RSS")]
    Rss,
    #[serde(rename = "RLIMIT_RTPRIO")]
    Rtprio,
    #[serde(rename = "RLIMIT_RTTIME")]
    Rttime,
    #[serde(rename = "RLIMIT_SIGPENDING")]
    Sigpending,
    #[serde(rename = "RLIMIT_STACK")]
    Stack,
}

/// CPU scheduling of the process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Scheduler {
    /// Scheduling class.
    pub policy: SchedulerPolicy,
    /// Nice value for the time-sharing classes.
    #[serde(default)]
    pub nice: i32,
    /// Static priority for the real-time classes.
    #[serde(default)]
    pub priority: i32,
    /// Flags of `sched_setattr(2)`.
    #[serde(default)]
    pub flags: Vec<SchedulerFlag>,
    /// `SCHED_DEADLINE` run time in nanoseconds.
    pub runtime: Option<u64>,
    /// `SCHED_DEADLINE` relative deadline in nanoseconds.
    pub deadline: Option<u64>,
    /// `SCHED_DEADLINE` period in nanoseconds.
    #[serde(default)]
    pub period: u64,
}

/// The scheduling classes of `sched(7)`.
#[allow(missing_docs, reason = "the names are those of sched(7)")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SchedulerPolicy {
    SchedOther,
    SchedFifo,
    SchedRr,
    SchedBatch,
    SchedIso,
    SchedIdle,
    SchedDeadline,
}

/// The flags of `sched_setattr(2)`.
#[allow(missing_docs, reason = "the names are those of sched_setattr(2)")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SchedulerFlag {
    SchedFlagResetOnFork,
    SchedFlagReclaim,
    SchedFlagDlOverrun,
    SchedFlagKeepPolicy,
    SchedFlagKeepParams,
    SchedFlagUtilClampMin,
    SchedFlagUtilClampMax,
}

/// I/O priority of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct IoPriority {
    /// I/O scheduling class.
    pub class: IoClass,
    /// Level within the class, 0 (first) to 7.
    #[serde(default)]
    pub priority: i32,
}

/// The I/O scheduling classes of `ioprio_set(2)`.
#[allow(missing_docs, reason = "the names are those of ioprio_set(2)")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum IoClass {
    IoprioClassRt,
    IoprioClassBe,
    IoprioClassIdle,
}

/// CPUs of an `exec` process, each a list such as `0-3,7`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CpuAffinity {
    /// While the runtime still prepares it.
    pub initial: Option<String>,
    /// When its program runs.
    #[serde(rename = "final")]
    pub last: Option<String>,
}
