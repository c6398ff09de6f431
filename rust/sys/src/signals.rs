//! Signal dispositions and the signal mask.

use std::{mem::MaybeUninit, os::unix::process::CommandExt, process::Command, ptr};

use rustix::{io::Errno, process::Signal};

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

/// Lets these signals end the process, with 128 and the number as status, up to the next `execve(2)`.
pub fn end_on(signals: &[Signal]) {
    extern "C" fn end(signal: libc::c_int) {
        // SAFETY: _exit(2) may be called in a signal handler, and comes back to nothing.
        unsafe { libc::_exit(128 + signal) };
    }
    let handler: extern "C" fn(libc::c_int) = end;
    for signal in signals {
        // SAFETY: the handler has the signature that signal(2) asks for and does nothing but end the process.
        unsafe { libc::signal(signal.as_raw(), handler as libc::sighandler_t) };
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

/// The signal with this number, real-time ones included.
///
/// Those between the named and the real-time ones belong to the C library and are none (signal(7)).
pub fn from_number(number: i32) -> Option<Signal> {
    Signal::from_named_raw(number).or_else(|| {
        let real_time = libc::SIGRTMIN()..=libc::SIGRTMAX();
        // SAFETY: the number is neither zero nor one that the C library keeps to itself.
        real_time
            .contains(&number)
            .then(|| unsafe { Signal::from_raw_unchecked(number) })
    })
}

/// Lets the program of `command` start with no signal blocked; it would inherit the caller's mask.
pub fn unblock_for(command: &mut Command) {
    let unblock = || {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset fills the set before it is read.
        unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), ptr::null_mut());
        }
        Ok(())
    };
    // SAFETY: both calls are async-signal-safe, and nothing is allocated.
    unsafe { command.pre_exec(unblock) };
}
