//! Sending signals by number, real-time ones included.

use std::{ffi::c_int, io};

use rustix::process::Pid;

/// Send signal `number` to a process: kill(2). `EINVAL` if there is no such signal.
pub fn kill(pid: Pid, number: c_int) -> io::Result<()> {
    // SAFETY: kill takes two numbers; a `Pid` is positive and so names one process.
    if unsafe { libc::kill(pid.as_raw_nonzero().get(), number) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
