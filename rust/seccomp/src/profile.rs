//! The OCI `linux.seccomp` object as Rust types (runtime-spec, config-linux.md, "Seccomp").

use serde::{Deserialize, Serialize};

/// A seccomp policy: what happens to each system call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// What happens to a call that no rule matches.
    pub default_action: Action,
    /// The errno of `default_action`, or its trace message; EPERM where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_errno_ret: Option<u32>,
    /// Calling conventions the rules hold for; the machine's own where empty. All others are killed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub architectures: Vec<Arch>,
    /// Flags for seccomp(2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
    /// A Unix socket that receives the descriptor on which `SCMP_ACT_NOTIFY` calls are announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener_path: Option<String>,
    /// Opaque text for whoever listens at `listener_path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener_metadata: Option<String>,
    /// The rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub syscalls: Vec<Rule>,
}

/// One rule: `action` for any call in `names` whose arguments satisfy all of `args`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Names as in the kernel's tables; one that an architecture lacks is ignored there.
    pub names: Vec<String>,
    /// What happens to a matching call.
    pub action: Action,
    /// The errno of `action`, or its trace message; EPERM where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u32>,
    /// Conditions, all of which must hold; none: every call matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Condition>,
}

/// A comparison of one argument of a call, as an unsigned 64-bit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which argument: 0 to 5.
    pub index: u32,
    /// What the argument is compared with; the mask of [`Op::MaskedEq`].
    pub value: u64,
    /// What the masked argument is compared with; used by [`Op::MaskedEq`] alone.
    #[serde(default)]
    pub value_two: u64,
    /// The comparison.
    pub op: Op,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// The process dies of SIGSYS.
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    /// The calling thread dies of SIGSYS; `SCMP_ACT_KILL` is its older name.
    #[serde(rename = "SCMP_ACT_KILL_THREAD", alias = "SCMP_ACT_KILL")]
    KillThread,
    /// The thread gets SIGSYS, which it may handle.
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
    /// The call fails with an errno.
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    /// A ptrace(2) tracer decides; ENOSYS without one.
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
    /// The listener decides, see seccomp_unotify(2).
    #[serde(rename = "SCMP_ACT_NOTIFY")]
    Notify,
    /// The call runs and is logged.
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    /// The call runs.
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op {
    /// The argument differs from `value`.
    #[serde(rename = "SCMP_CMP_NE")]
    Ne,
    /// The argument is less than `value`.
    #[serde(rename = "SCMP_CMP_LT")]
    Lt,
    /// The argument is at most `value`.
    #[serde(rename = "SCMP_CMP_LE")]
    Le,
    /// The argument equals `value`.
    #[serde(rename = "SCMP_CMP_EQ")]
    Eq,
    /// The argument is at least `value`.
    #[serde(rename = "SCMP_CMP_GE")]
    Ge,
    /// The argument is greater than `value`.
    #[serde(rename = "SCMP_CMP_GT")]
    Gt,
    /// The argument and-ed with `value` equals `value_two`.
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEq,
}

/// A flag for seccomp(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Flag {
    /// All threads of the process get the filter.
    #[serde(rename = "SECCOMP_FILTER_FLAG_TSYNC")]
    Tsync,
    /// Every action but ALLOW is logged.
    #[serde(rename = "SECCOMP_FILTER_FLAG_LOG")]
    Log,
    /// Speculative store bypass stays enabled.
    #[serde(rename = "SECCOMP_FILTER_FLAG_SPEC_ALLOW")]
    SpecAllow,
    /// A call that waits for the listener's answer can be interrupted by fatal signals only.
    #[serde(rename = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")]
    WaitKillableRecv,
}

/// A calling convention, as OCI names it. Those of other machines are accepted and have no effect here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Arch {
    #[serde(rename = "SCMP_ARCH_X86")]
    X86,
    #[serde(rename = "SCMP_ARCH_X86_64")]
    X86_64,
    #[serde(rename = "SCMP_ARCH_X32")]
    X32,
    #[serde(rename = "SCMP_ARCH_ARM")]
    Arm,
    #[serde(rename = "SCMP_ARCH_AARCH64")]
    Aarch64,
    #[serde(rename = "SCMP_ARCH_LOONGARCH64")]
    Loongarch64,
    #[serde(rename = "SCMP_ARCH_M68K")]
    M68k,
    #[serde(rename = "SCMP_ARCH_MIPS")]
    Mips,
    #[serde(rename = "SCMP_ARCH_MIPS64")]
    Mips64,
    #[serde(rename = "SCMP_ARCH_MIPS64N32")]
    Mips64N32,
    #[serde(rename = "SCMP_ARCH_MIPSEL")]
    Mipsel,
    #[serde(rename = "SCMP_ARCH_MIPSEL64")]
    Mipsel64,
    #[serde(rename = "SCMP_ARCH_MIPSEL64N32")]
    Mipsel64N32,
    #[serde(rename = "SCMP_ARCH_PPC")]
    Ppc,
    #[serde(rename = "SCMP_ARCH_PPC64")]
    Ppc64,
    #[serde(rename = "SCMP_ARCH_PPC64LE")]
    Ppc64Le,
    #[serde(rename = "SCMP_ARCH_S390")]
    S390,
    #[serde(rename = "SCMP_ARCH_S390X")]
    S390X,
    #[serde(rename = "SCMP_ARCH_SH")]
    Sh,
    #[serde(rename = "SCMP_ARCH_SHEB")]
    Sheb,
    #[serde(rename = "SCMP_ARCH_PARISC")]
    Parisc,
    #[serde(rename = "SCMP_ARCH_PARISC64")]
    Parisc64,
    #[serde(rename = "SCMP_ARCH_RISCV64")]
    Riscv64,
}
