//! Which namespaces a process gets: new ones, those of others, or the runtime's own.

mod between;
mod plan;
mod time;
mod visit;

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{CWD, Mode, OFlags, fstat, openat},
    io::Errno,
    process::Pid,
    thread::{
        LinkNameSpaceType, ThreadNameSpaceType, move_into_link_name_space,
        move_into_thread_name_spaces,
    },
};

pub(crate) use between::through_another;
pub(crate) use plan::Plan;
pub(crate) use visit::with_pid_namespace_of;

use crate::spec::NamespaceType;

/// Every kind, in the order in which other people's are joined: rights first, the view of files last.
pub(crate) const KINDS: [NamespaceType; 8] = [
    NamespaceType::User,
    NamespaceType::Cgroup,
    NamespaceType::Ipc,
    NamespaceType::Uts,
    NamespaceType::Network,
    NamespaceType::Pid,
    NamespaceType::Time,
    NamespaceType::Mount,
];

impl NamespaceType {
    /// Its name in `/proc/<pid>/ns`.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Network => "net",
            Self::Mount => "mnt",
            other => other.name(),
        }
    }

    fn link(self) -> LinkNameSpaceType {
        match self {
            Self::User => LinkNameSpaceType::User,
            Self::Cgroup => LinkNameSpaceType::ControlGroup,
            Self::Ipc => LinkNameSpaceType::InterProcessCommunication,
            Self::Uts => LinkNameSpaceType::HostNameAndNISDomainName,
            Self::Network => LinkNameSpaceType::Network,
            Self::Pid => LinkNameSpaceType::ProcessID,
            Self::Time => LinkNameSpaceType::Time,
            Self::Mount => LinkNameSpaceType::Mount,
        }
    }

    fn bit(self) -> u64 {
        u64::from(self.link() as u32)
    }
}

/// A namespace of somebody else's.
#[derive(Debug)]
struct Foreign {
    kind: NamespaceType,
    fd: OwnedFd,
}

impl Foreign {
    fn join(&self) -> std::result::Result<(), Errno> {
        move_into_link_name_space(self.fd.as_fd(), Some(self.kind.link()))
    }
}

fn own(kind: NamespaceType) -> std::result::Result<OwnedFd, Errno> {
    openat(
        CWD,
        format!("/proc/self/ns/{}", kind.file()),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

fn is_own(kind: NamespaceType, fd: &OwnedFd) -> std::result::Result<bool, Errno> {
    let (theirs, ours) = (
        fstat(fd)?,
        rustix::fs::stat(format!("/proc/self/ns/{}", kind.file()))?,
    );
    Ok((theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino))
}

/// The kinds of namespaces in which `pid` is and the caller is not.
pub(crate) fn foreign_kinds(pid: Pid) -> std::result::Result<Vec<NamespaceType>, Errno> {
    let pid = pid.as_raw_nonzero();
    let mut kinds = Vec::new();
    for kind in KINDS {
        let theirs = match rustix::fs::stat(format!("/proc/{pid}/ns/{}", kind.file())) {
            // This kernel has no namespaces of the kind.
            Err(Errno::NOENT) if rustix::fs::stat(format!("/proc/{pid}/ns/mnt")).is_ok() => {
                continue;
            }
            other => other?,
        };
        let ours = rustix::fs::stat(format!("/proc/self/ns/{}", kind.file()))?;
        if theirs.st_ino != ours.st_ino {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// The bits of these kinds for `setns(2)` with a pidfd.
pub(crate) fn join_bits(
    kinds: &[NamespaceType],
    wanted: impl Fn(NamespaceType) -> bool,
) -> ThreadNameSpaceType {
    let bits = kinds
        .iter()
        .filter(|kind| wanted(**kind))
        .map(|kind| kind.bit() as u32)
        .sum();
    ThreadNameSpaceType::from_bits_retain(bits)
}

/// Joins namespaces of the process behind `pidfd` in one step.
pub(crate) fn join_of(
    pidfd: impl AsFd,
    bits: ThreadNameSpaceType,
) -> std::result::Result<(), Errno> {
    if bits.is_empty() {
        Ok(())
    } else {
        move_into_thread_name_spaces(pidfd.as_fd(), bits)
    }
}
