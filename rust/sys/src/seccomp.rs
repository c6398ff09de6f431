//! Installing a seccomp filter: seccomp(2).

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use rustix::io::Errno;

/// One instruction of classic BPF (`struct sock_filter`).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The operation, a sum of `BPF_*` constants.
    pub code: u16,
    /// How many instructions to skip where a condition holds.
    pub jt: u8,
    /// How many instructions to skip where it does not.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

const _: () = assert!(size_of::<Instruction>() == size_of::<libc::sock_filter>());

/// Every action but ALLOW is logged.
pub const LOG: u32 = libc::SECCOMP_FILTER_FLAG_LOG as u32;
/// Speculative store bypass stays enabled.
pub const SPEC_ALLOW: u32 = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW as u32;
/// [`load`] returns the descriptor that announces `SECCOMP_RET_USER_NOTIF` calls.
pub const NEW_LISTENER: u32 = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER as u32;
/// Only fatal signals interrupt a call that its listener has received (Linux 5.19).
pub const WAIT_KILLABLE_RECV: u32 = libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV as u32;

/// Installs `program` for the calling thread; the listener is close-on-exec.
///
/// Allocates nothing, so that it may stand between clone and exec. The caller has no_new_privs or CAP_SYS_ADMIN.
///
/// # Errors
/// EACCES without either; EINVAL for a program or flag the kernel refuses; ENOMEM when all filters of the thread
/// together are longer than 32768 instructions.
pub fn load(program: &[Instruction], flags: u32) -> Result<Option<OwnedFd>, Errno> {
    let len = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let filter = program.as_ptr().cast::<libc::sock_filter>().cast_mut();
    let program = libc::sock_fprog { len, filter };
    // SAFETY: `filter` points to `len` instructions laid out as sock_filter, which the kernel copies and never writes.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    };
    match answer {
        0 => Ok(None),
        fd if fd > 0 && flags & NEW_LISTENER != 0 => {
            // SAFETY: a positive answer to NEW_LISTENER is a new descriptor that nobody else owns.
            Ok(Some(unsafe { OwnedFd::from_raw_fd(fd as RawFd) }))
        }
        thread if thread > 0 => Err(Errno::SRCH),
        _ => Err(crate::last_errno()),
    }
}
