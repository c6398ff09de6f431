//! The only crate with unsafe code: safe wrappers over system calls that rustix lacks.

pub mod bpf;
pub mod clone;
pub mod exe;
pub mod exec;
pub mod fd;
pub mod fsids;
pub mod keyring;
pub mod kill;
pub mod lean;
pub mod mount;
pub mod mount_private;
pub mod mount_userns;
pub mod namespace;
pub mod netif;
pub mod root;
pub mod sched;
pub mod seccomp;
pub mod sigfd;
pub mod signals;
pub mod spawn;

/// The error of the system call that just failed.
fn last_errno() -> rustix::io::Errno {
    let raw = std::io::Error::last_os_error().raw_os_error();
    rustix::io::Errno::from_raw_os_error(raw.unwrap_or(libc::EIO))
}
