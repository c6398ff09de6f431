//! Signals as something to poll instead of something that interrupts.

use std::{
    ffi::c_int,
    io,
    os::fd::{FromRawFd, OwnedFd},
};

/// A descriptor that is readable while one of `signals` (which must be blocked) is pending: signalfd(2), non-blocking.
pub fn signalfd(signals: &[c_int]) -> io::Result<OwnedFd> {
    // SAFETY: the set is plain data; wrong numbers are refused by sigaddset.
    let fd = unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for &signal in signals {
            if libc::sigaddset(&raw mut set, signal) < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
