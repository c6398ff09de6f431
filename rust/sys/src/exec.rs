//! The last steps of a process before it becomes another program.

use std::{
    ffi::{CStr, CString},
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    ptr,
};

use rustix::io::Errno;

/// A program with its arguments and its whole environment.
#[derive(Debug)]
pub struct Program {
    argv: Vec<CString>,
    envp: Vec<CString>,
}

impl Program {
    /// `argv` and `envp` as `execve(2)` takes them, the terminating nulls left out.
    #[must_use]
    pub fn new(argv: Vec<CString>, envp: Vec<CString>) -> Self {
        Self { argv, envp }
    }

    /// Runs the program at `path` in place of this one; returns only if that failed.
    #[must_use]
    pub fn exec(&self, path: &CStr) -> Errno {
        let (argv, envp) = (pointers(&self.argv), pointers(&self.envp));
        // SAFETY: both arrays end with a null and point to strings that outlive the call.
        unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
        crate::last_errno()
    }

    /// As [`Program::exec`], of the open file `file` (`execveat(2)` with `AT_EMPTY_PATH`).
    #[must_use]
    pub fn exec_file(&self, file: BorrowedFd<'_>) -> Errno {
        let (argv, envp) = (pointers(&self.argv), pointers(&self.envp));
        // SAFETY: as above; the path is the empty string and the descriptor is open.
        unsafe {
            libc::syscall(
                libc::SYS_execveat,
                file.as_raw_fd(),
                c"".as_ptr(),
                argv.as_ptr(),
                envp.as_ptr(),
                libc::AT_EMPTY_PATH,
            )
        };
        crate::last_errno()
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// Closes every descriptor from 3 on, but for the first `preserve` ones (which lose close-on-exec) and `keep` (which should have
/// it). To be followed by nothing but [`Program::exec`] or the end of the process: all owners of descriptors are left dangling.
///
/// # Errors
/// Those of `close_range(2)`.
pub fn close_all_but(preserve: u32, keep: Option<BorrowedFd<'_>>) -> Result<(), Errno> {
    let first = 3 + preserve;
    for fd in 3..first {
        set_inheritable(RawFd::try_from(fd).map_err(|_| Errno::BADF)?)?;
    }
    let Some(keep) = keep
        .map(|fd| fd.as_raw_fd() as u32)
        .filter(|&fd| fd >= first)
    else {
        return close_range(first, u32::MAX);
    };
    if keep > first {
        close_range(first, keep - 1)?;
    }
    close_range(keep + 1, u32::MAX)
}

/// Whether the number is an open descriptor.
#[must_use]
pub fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD only reads the descriptor's flags.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

/// Marks every descriptor from `first` on close-on-exec, so that nothing the caller inherited reaches a program it runs.
///
/// # Errors
/// Those of `close_range(2)`.
pub fn cloexec_from(first: u32) -> Result<(), Errno> {
    // SAFETY: the flag CLOEXEC closes nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    if result < 0 {
        Err(crate::last_errno())
    } else {
        Ok(())
    }
}

/// The inherited descriptor with this number, as a duplicate of its own (close-on-exec).
///
/// # Errors
/// `EBADF` if it is not open.
pub fn inherited(fd: RawFd) -> Result<std::os::fd::OwnedFd, Errno> {
    if !is_open(fd) {
        return Err(Errno::BADF);
    }
    // SAFETY: it is open, and the borrow ends with this statement.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    rustix::io::fcntl_dupfd_cloexec(borrowed.as_fd(), 3)
}

fn set_inheritable(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: F_SETFD changes one flag of a descriptor number; a closed number is EBADF.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } < 0 {
        Err(crate::last_errno())
    } else {
        Ok(())
    }
}

fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    // SAFETY: by contract of `close_all_but` no owner of these descriptors is used again.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } < 0 {
        return Err(crate::last_errno());
    }
    Ok(())
}
