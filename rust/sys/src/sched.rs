//! CPU and I/O scheduling, memory policy and execution domain of the calling process.

use rustix::io::Errno;

/// Attributes for `sched_setattr(2)`; the layout is the kernel's.
#[allow(missing_docs, reason = "the fields are those of struct sched_attr")]
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct SchedAttr {
    size: u32,
    pub policy: u32,
    pub flags: u64,
    pub nice: i32,
    pub priority: u32,
    pub runtime: u64,
    pub deadline: u64,
    pub period: u64,
}

/// Sets the scheduling of the caller.
///
/// # Errors
/// Those of `sched_setattr(2)`.
pub fn set_attr(attr: &SchedAttr) -> Result<(), Errno> {
    let attr = SchedAttr {
        size: std::mem::size_of::<SchedAttr>() as u32,
        ..*attr
    };
    // SAFETY: the structure has the size it states; pid 0 is the caller.
    check(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) })
}

/// Sets the I/O priority of the caller: `class` 1 real time, 2 best effort, 3 idle; `level` 0 to 7.
///
/// # Errors
/// Those of `ioprio_set(2)`.
pub fn set_io_priority(class: u32, level: u32) -> Result<(), Errno> {
    const IOPRIO_WHO_PROCESS: libc::c_int = 1;
    // SAFETY: three numbers; who 0 is the caller.
    check(unsafe {
        libc::syscall(
            libc::SYS_ioprio_set,
            IOPRIO_WHO_PROCESS,
            0,
            class << 13 | level,
        )
    })
}

/// Sets the memory policy of the caller; `nodes` is a bit mask of NUMA nodes, 64 a word.
///
/// # Errors
/// Those of `set_mempolicy(2)`.
pub fn set_memory_policy(mode: u32, nodes: &[u64]) -> Result<(), Errno> {
    // The kernel reads one bit less than it is told, and takes no mask only for a null pointer.
    let (mask, bits) = if nodes.is_empty() {
        (std::ptr::null(), 0)
    } else {
        (nodes.as_ptr(), nodes.len() * 64 + 1)
    };
    // SAFETY: the mask is as long as stated; the kernel reads whole words up to `bits - 1`.
    check(unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, mask, bits) })
}

/// Sets the execution domain of the caller, see `personality(2)`.
///
/// # Errors
/// Those of `personality(2)`.
pub fn set_personality(persona: u32) -> Result<(), Errno> {
    // SAFETY: one number.
    check(unsafe { libc::syscall(libc::SYS_personality, libc::c_ulong::from(persona)) })
}

fn check(result: libc::c_long) -> Result<(), Errno> {
    if result < 0 {
        Err(crate::last_errno())
    } else {
        Ok(())
    }
}
