//! Why a profile cannot be compiled.

/// What is wrong with a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `defaultAction` is `SCMP_ACT_NOTIFY`: nobody could answer the calls that send the listener away.
    #[error("seccomp: SCMP_ACT_NOTIFY cannot be the default action")]
    NotifyByDefault,
    /// write(2) is `SCMP_ACT_NOTIFY`: the runtime itself needs it after the filter is in force.
    #[error("seccomp: SCMP_ACT_NOTIFY cannot be used for the write syscall")]
    NotifyWrite,
    /// A condition names an argument that no call has.
    #[error("seccomp: a rule for {syscall} compares argument {index}, and the last one is 5")]
    Argument {
        /// The first name of the rule.
        syscall: String,
        /// The index asked for.
        index: u32,
    },
    /// An errno or trace message that the kernel would cut off.
    #[error("seccomp: errno {value} of {of} is above {limit}")]
    Errno {
        /// A rule's first name, or "the default action".
        of: String,
        /// The value asked for.
        value: u32,
        /// The largest possible.
        limit: u32,
    },
    /// The filter would be longer than the kernel takes.
    #[error("seccomp: the profile needs {0} BPF instructions, and the kernel takes 4096")]
    TooLong(usize),
}
