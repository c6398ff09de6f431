//! Signal dispositions and the signal mask.

use std::{mem::MaybeUninit, ptr};

use rustix::io::Errno;

/// Gives every signal its default action and blocks none, as a new program expects it.
pub fn reset() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL installs no handler; signals that cannot be changed are refused by the kernel, which is fine.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset fills the set before it is read.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), ptr::null_mut());
    }
}

/// Blocks every signal that can be blocked, so that [`wait`] can take them one by one.
pub fn block_all() {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset fills the set before it is read.
    unsafe {
        libc::sigfillset(set.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), ptr::null_mut());
    }
}

/// Waits for any blocked signal and takes it.
///
/// # Errors
/// `EINTR`.
pub fn wait() -> Result<i32, Errno> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset fills the set before it is read; no siginfo is asked for.
    let signal = unsafe {
        libc::sigfillset(set.as_mut_ptr());
        libc::sigwaitinfo(set.as_ptr(), ptr::null_mut())
    };
    if signal < 0 {
        Err(crate::last_errno())
    } else {
        Ok(signal)
    }
}
