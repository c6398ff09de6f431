//! User namespaces that exist only to describe an id mapping to `mount_setattr(2)`.

use std::{
    fs, io,
    os::fd::{FromRawFd, OwnedFd},
};

use rustix::process::{Signal, pidfd_send_signal};

/// Makes a user namespace with the given contents of `uid_map` and `gid_map` (`inside outside count` lines).
///
/// A child of a few microseconds carries it until its maps are written; the descriptor keeps it alive from then on.
///
/// # Errors
/// `EPERM` or `EINVAL` if the maps may not be written, `ENOSPC` if there are too many user namespaces.
pub fn userns_with_maps(uid_map: &str, gid_map: &str) -> io::Result<OwnedFd> {
    let child = Child::in_new_userns()?;
    let proc = format!("/proc/{}", child.pid);
    fs::write(format!("{proc}/uid_map"), uid_map)?;
    fs::write(format!("{proc}/gid_map"), gid_map)?;
    Ok(fs::File::open(format!("{proc}/ns/user"))?.into())
}

/// A child that sleeps in a new user namespace; it is killed and reaped when this is dropped.
struct Child {
    pid: libc::pid_t,
    pidfd: OwnedFd,
}

impl Child {
    fn in_new_userns() -> io::Result<Self> {
        let flags = libc::CLONE_NEWUSER | libc::CLONE_PIDFD;
        let mut pidfd: libc::c_int = -1;
        // SAFETY: without CLONE_VM the child works on a copy of the memory. It makes raw system calls only, so locks that
        // other threads held do not matter to it, and it never returns. It has no exit signal, so no handler of this
        // process hears of it.
        let pid = unsafe {
            let pid = libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0);
            if pid == 0 {
                libc::syscall(
                    libc::SYS_prctl,
                    libc::PR_SET_PDEATHSIG,
                    libc::SIGKILL,
                    0,
                    0,
                    0,
                );
                loop {
                    libc::syscall(libc::SYS_ppoll, 0, 0, 0, 0, 0);
                }
            }
            pid
        };
        if pid < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just made this descriptor for us.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
        let pid = pid as libc::pid_t;
        Ok(Self { pid, pidfd })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        // SAFETY: a null status is allowed. __WALL because a child without an exit signal is not seen by an ordinary wait.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), libc::__WALL) };
    }
}
