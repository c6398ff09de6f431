//! `clone3(2)`: a child in namespaces and a cgroup of its own.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::{io::Errno, process::Pid};

unsafe extern "C" {
    /// glibc's own record of whether the process ever had a second thread.
    static __libc_single_threaded: libc::c_char;
}

/// What the child gets of its own, as bits of `clone3(2)`; namespaces only.
pub const NEW_NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWTIME) as u64;

/// Not in libc with its real width.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// A child to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clone<'fd> {
    /// `CLONE_NEW*` bits; others are refused.
    pub namespaces: u64,
    /// A directory of a v2 cgroup to be born in.
    pub cgroup: Option<BorrowedFd<'fd>>,
    /// Make it a sibling: its parent is the caller's parent.
    pub sibling: bool,
}

/// Which of the two processes this is.
#[derive(Debug)]
pub enum Cloned {
    /// The caller, with the child's id in the caller's pid namespace and a descriptor for it (close-on-exec).
    Parent(Pid, OwnedFd),
    /// The child.
    Child,
}

impl Clone<'_> {
    /// Clones the calling process; memory is copied, descriptors are copied, nothing is shared.
    ///
    /// # Errors
    /// `EINVAL` for other bits than namespaces, `EDEADLK` if the process has a second thread (the child could wait for a lock of
    /// a thread that it does not have), else those of `clone3(2)`.
    pub fn spawn(self) -> Result<Cloned, Errno> {
        if self.namespaces & !NEW_NAMESPACES != 0 {
            return Err(Errno::INVAL);
        }
        if !single_threaded() {
            return Err(Errno::DEADLK);
        }
        let mut pidfd: libc::c_int = -1;
        // SAFETY: clone_args is plain integers, for which zero is "absent".
        let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
        args.flags = self.namespaces | libc::CLONE_PIDFD as u64;
        args.pidfd = (&raw mut pidfd) as u64;
        args.exit_signal = libc::SIGCHLD as u64;
        if self.sibling {
            // The exit signal of a sibling is the one of the caller; the kernel wants 0 here.
            args.flags |= libc::CLONE_PARENT as u64;
            args.exit_signal = 0;
        }
        if let Some(cgroup) = self.cgroup {
            args.flags |= CLONE_INTO_CGROUP;
            args.cgroup = cgroup.as_raw_fd() as u64;
        }
        // SAFETY: without CLONE_VM the child has its own copy of the memory and returns here on the same stack; the process has
        // one thread, so no lock is held by another; `args` is a valid clone_args and `pidfd` outlives the call.
        let pid = unsafe {
            libc::syscall(
                libc::SYS_clone3,
                &raw mut args,
                std::mem::size_of::<libc::clone_args>(),
            )
        };
        match i32::try_from(pid) {
            Ok(0) => Ok(Cloned::Child),
            Ok(raw) if raw > 0 => {
                let pid = Pid::from_raw(raw).ok_or(Errno::CHILD)?;
                // SAFETY: CLONE_PIDFD made the kernel store a fresh descriptor there that nobody else owns.
                Ok(Cloned::Parent(pid, unsafe { OwnedFd::from_raw_fd(pidfd) }))
            }
            _ => Err(crate::last_errno()),
        }
    }
}

fn single_threaded() -> bool {
    // SAFETY: glibc defines the byte in every program; a plain read of it is always sound.
    if unsafe { (&raw const __libc_single_threaded).read_volatile() } != 0 {
        return true;
    }
    // The byte stays 0 after the last other thread was joined; the kernel knows better.
    std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
}
