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

/// Readies what the caller inherited for handing it on: of the descriptors from 3 on the first `preserve` lose close-on-exec, as far
/// as they are open, and all others are closed: somebody may be waiting for their end. Numbers that are free may be taken by
/// descriptors of the caller's own, which have close-on-exec; so this comes before any is opened.
///
/// # Errors
/// Those of `close_range(2)`.
pub fn inherit_only(preserve: u32) -> Result<(), Errno> {
    let end = preserve.saturating_add(3);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let last = limit.map_or(end, |limit| end.min(u32::try_from(limit).unwrap_or(end)));
    for fd in (3..last).filter_map(|fd| RawFd::try_from(fd).ok()) {
        // One that is not open cannot be inherited.
        let _ = set_inheritable(fd);
    }
    close_range(end, u32::MAX)
}

/// Really closes every descriptor from 3 on that [`inherit_only`] has not marked to be inherited, but for those in `keep`, which
/// should have close-on-exec: until `execve(2)` has found its file, a program's name may still be that of a descriptor. To be followed
/// by nothing but [`Program::exec`] or the end of the process: all other owners of descriptors are left dangling.
///
/// # Errors
/// Those of `close_range(2)`.
pub fn close_uninherited(preserve: u32, keep: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let kept = |fd: u32| {
        keep.iter()
            .any(|other| other.as_raw_fd().unsigned_abs() == fd)
    };
    let end = preserve.saturating_add(3);
    for fd in (3..end).filter(|fd| !kept(*fd)) {
        match RawFd::try_from(fd).ok().and_then(descriptor_flags) {
            // It took a number that was free.
            Some(flags) if flags & libc::FD_CLOEXEC != 0 => close_range(fd, fd)?,
            Some(_) => {}
            // Beyond the last number that can be open there is nothing more.
            None if fd > 1 << 20 => break,
            None => {}
        }
    }
    let mut first = end;
    let mut above: Vec<u32> = keep
        .iter()
        .map(|fd| fd.as_raw_fd().unsigned_abs())
        .filter(|fd| *fd >= end)
        .collect();
    above.sort_unstable();
    for fd in above {
        if fd > first {
            close_range(first, fd - 1)?;
        }
        first = fd + 1;
    }
    close_range(first, u32::MAX)
}

/// Whether the number is an open descriptor.
#[must_use]
pub fn is_open(fd: RawFd) -> bool {
    descriptor_flags(fd).is_some()
}

/// `FD_CLOEXEC` or nothing; `None` if the number is not open.
fn descriptor_flags(fd: RawFd) -> Option<libc::c_int> {
    // SAFETY: F_GETFD only reads the descriptor's flags.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    (flags >= 0).then_some(flags)
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
    // SAFETY: by contract of the callers nobody owns these descriptors, or no owner is used again.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } < 0 {
        Err(crate::last_errno())
    } else {
        Ok(())
    }
}
