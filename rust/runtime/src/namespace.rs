//! Which namespaces a process gets: new ones, those of others, or the runtime's own.

use std::os::fd::{AsFd, OwnedFd};

use pyctr_sys::clone::{Clone, Cloned};
use rustix::{
    fs::{CWD, Mode, OFlags, fstat, openat},
    io::Errno,
    process::{Pid, PidfdFlags, WaitOptions, pidfd_open, waitpid},
    thread::{
        LinkNameSpaceType, ThreadNameSpaceType, UnshareFlags, move_into_link_name_space,
        move_into_thread_name_spaces,
    },
};

use crate::{
    error::{Context, Error, Result},
    procfs::Procfs,
    spec::{Linux, NamespaceType, TimeOffset, TimeOffsets},
    sync::{Channel, Tag},
};

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

/// The namespaces of a process to be.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// `CLONE_NEW*` bits of the ones to make while cloning.
    new: u64,
    /// The ones of others, in the order of [`KINDS`].
    foreign: Vec<Foreign>,
    /// Make a cgroup namespace once the process is in its cgroups.
    cgroup: bool,
    /// Make a time namespace with these offsets.
    time: Option<TimeOffsets>,
    /// The user namespace is somebody else's.
    foreign_user: bool,
    /// The process could not be born in its cgroup.
    outside: bool,
}

impl Plan {
    /// The namespaces that a document asks for.
    pub(crate) fn new(linux: &Linux) -> Result<Self> {
        let mut plan = Self::default();
        for kind in KINDS {
            let Some(namespace) = linux.namespace(kind) else {
                continue;
            };
            match (&namespace.path, kind) {
                (Some(path), _) => {
                    let what = || {
                        format!(
                            "cannot open the {} namespace {}",
                            kind.name(),
                            path.display()
                        )
                    };
                    let fd = openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
                        .context(what)?;
                    if !is_own(kind, &fd).context(what)? {
                        plan.foreign.push(Foreign { kind, fd });
                    }
                }
                (None, NamespaceType::Cgroup) => plan.cgroup = true,
                (None, NamespaceType::Time) if linux.time_offsets.is_some() => {
                    plan.time = linux.time_offsets
                }
                (None, kind) => plan.new |= kind.bit(),
            }
        }
        plan.foreign_user = plan.joins(NamespaceType::User);
        Ok(plan)
    }

    /// Whether the process is born in a user namespace of its own.
    pub(crate) fn new_user(&self) -> bool {
        self.new & NamespaceType::User.bit() != 0
    }

    /// Whether its user namespace is not the runtime's.
    pub(crate) fn other_user(&self) -> bool {
        self.new_user() || self.foreign_user
    }

    /// Whether the process still has to be moved into its v2 cgroup.
    pub(crate) fn outside(&self) -> bool {
        self.outside
    }

    /// Whether it joins somebody else's namespace of this kind.
    pub(crate) fn joins(&self, kind: NamespaceType) -> bool {
        self.foreign.iter().any(|foreign| foreign.kind == kind)
    }

    /// Clones a process into the namespaces, and into a v2 cgroup if `clone` names one.
    ///
    /// The runtime itself visits other people's namespaces for a moment, so that the child is born in them: for a pid namespace
    /// there is no other way, and for the rest a child in a user namespace of its own would have no right to join them. What the
    /// runtime may not join is left to [`Plan::join_rest`].
    pub(crate) fn spawn(&mut self, clone: Clone<'_>) -> Result<Cloned> {
        if self.joins(NamespaceType::User) {
            return through_another(|| self.become_foreign(clone));
        }
        let mut visit = Visit::default();
        let mut rest = Vec::new();
        for foreign in self.foreign.drain(..) {
            match foreign.kind {
                NamespaceType::Mount => rest.push(foreign),
                kind => match visit.join(&foreign) {
                    Err(Errno::PERM) if kind != NamespaceType::Pid => rest.push(foreign),
                    other => {
                        other.context(|| format!("cannot join the {} namespace", kind.name()))?
                    }
                },
            }
        }
        self.foreign = rest;
        let cloned = self.clone_with(clone);
        // In the child there is nothing to go back to.
        if matches!(cloned, Ok(Cloned::Child)) {
            visit.stay();
            return cloned;
        }
        visit
            .leave()
            .context(|| "cannot return from the namespaces joined")?;
        cloned
    }

    fn clone_with(&mut self, clone: Clone<'_>) -> Result<Cloned> {
        let clone = Clone {
            namespaces: self.new,
            ..clone
        };
        let cloned = match clone.spawn() {
            // An ordinary user may own the group and not the one above it, which being born there would need.
            Err(Errno::ACCESS | Errno::PERM) if clone.cgroup.is_some() => {
                self.outside = true;
                Clone {
                    cgroup: None,
                    ..clone
                }
                .spawn()
            }
            other => other,
        };
        cloned.context(|| "cannot clone the container's process")
    }

    fn become_foreign(&mut self, clone: Clone<'_>) -> Result<Cloned> {
        // What belongs to the host must be joined with the host's rights, the rest with those of the user namespace.
        let (user, others): (Vec<_>, Vec<_>) = self
            .foreign
            .drain(..)
            .partition(|foreign| foreign.kind == NamespaceType::User);
        let (mount, others): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|foreign| foreign.kind == NamespaceType::Mount);
        let refused: Vec<_> = others
            .into_iter()
            .filter(|foreign| foreign.join().is_err())
            .collect();
        for foreign in user.iter().chain(&refused) {
            foreign
                .join()
                .context(|| format!("cannot join the {} namespace", foreign.kind.name()))?;
        }
        self.foreign = mount;
        self.clone_with(Clone {
            sibling: true,
            ..clone
        })
    }

    /// In the child: joins what the runtime could not. The mount namespace comes last.
    pub(crate) fn join_rest(&self) -> Result<()> {
        for foreign in &self.foreign {
            foreign
                .join()
                .context(|| format!("cannot join the {} namespace", foreign.kind.name()))?;
        }
        Ok(())
    }

    /// In the child, once it is in its cgroups: the namespaces that cannot be made by cloning.
    pub(crate) fn unshare_rest(&self, procfs: &Procfs) -> Result<()> {
        if self.cgroup {
            pyctr_sys::namespace::unshare(UnshareFlags::NEWCGROUP)
                .context(|| "cannot make a cgroup namespace")?;
        }
        match self.time {
            Some(offsets) => enter_time(procfs, offsets),
            None => Ok(()),
        }
    }
}

/// Clones through a process in between, which `enter`s user namespaces and makes the real child as the caller's: namespaces made
/// under somebody else's user namespace belong to it only if their maker is in it, and nobody ever comes back from there.
pub(crate) fn through_another(enter: impl FnOnce() -> Result<Cloned>) -> Result<Cloned> {
    let what = || "cannot clone a process into the user namespace";
    let (ours, theirs) = Channel::pair().context(what)?;
    let between = match Clone::default().spawn().context(what)? {
        Cloned::Parent(between, _) => between,
        Cloned::Child => match enter() {
            Ok(Cloned::Child) => return Ok(Cloned::Child),
            Ok(Cloned::Parent(pid, _)) => {
                let _ = theirs.send_with(Tag::Pid, &pid.as_raw_nonzero().to_string(), None);
                std::process::exit(0);
            }
            Err(error) => {
                theirs.fail(&error);
                std::process::exit(1);
            }
        },
    };
    drop(theirs);
    let answer = ours.receive();
    waitpid(Some(between), WaitOptions::empty()).context(what)?;
    let packet = answer.context(what)?;
    let packet = packet.ok_or_else(|| Error::setup(what(), "the process in between was killed"))?;
    if packet.tag == Tag::Failed {
        return Err(crate::sync::failure(&packet.text));
    }
    let pid = packet
        .text
        .parse()
        .ok()
        .filter(|_| packet.tag == Tag::Pid)
        .and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Error::setup(what(), "no process id"))?;
    // It is our child and not waited for, so the number cannot be anybody else's.
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).context(what)?;
    Ok(Cloned::Parent(pid, pidfd))
}

/// Offsets can be set only while nobody is in the namespace yet, so it is made first and entered afterwards.
fn enter_time(procfs: &Procfs, offsets: TimeOffsets) -> Result<()> {
    pyctr_sys::namespace::unshare(UnshareFlags::NEWTIME)
        .context(|| "cannot make a time namespace")?;
    let line = |clock: &str, offset: Option<TimeOffset>| {
        offset
            .map(|offset| format!("{clock} {} {}\n", offset.secs, offset.nanosecs))
            .unwrap_or_default()
    };
    let text = line("monotonic", offsets.monotonic) + &line("boottime", offsets.boottime);
    if !text.is_empty() {
        procfs
            .write("self/timens_offsets", &text)
            .context(|| "cannot set the offsets of the time namespace")?;
    }
    let children = openat(
        CWD,
        "/proc/self/ns/time_for_children",
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .context(|| "cannot open the time namespace")?;
    move_into_link_name_space(children.as_fd(), Some(LinkNameSpaceType::Time))
        .context(|| "cannot enter the time namespace")
}

/// Namespaces that the runtime has joined for a moment, and its own to go back to.
#[derive(Debug, Default)]
struct Visit(Vec<Foreign>);

impl Visit {
    fn join(&mut self, foreign: &Foreign) -> std::result::Result<(), Errno> {
        let own = Foreign {
            kind: foreign.kind,
            fd: own(foreign.kind)?,
        };
        foreign.join()?;
        self.0.push(own);
        Ok(())
    }

    fn leave(mut self) -> std::result::Result<(), Errno> {
        self.0.drain(..).rev().try_for_each(|own| own.join())
    }

    fn stay(mut self) {
        self.0.clear();
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // Only after an error, which is the one to tell.
        for own in self.0.drain(..).rev() {
            let _ = own.join();
        }
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

/// Runs `work` while children would be born in the pid namespace of the process behind `pidfd`.
pub(crate) fn with_pid_namespace_of<T>(
    pidfd: impl AsFd,
    work: impl FnOnce() -> Result<T>,
    stays: impl FnOnce(&T) -> bool,
) -> Result<T> {
    let own = own(NamespaceType::Pid).context(|| "cannot open the pid namespace")?;
    join_of(pidfd, ThreadNameSpaceType::PROCESS_ID).context(|| "cannot join the pid namespace")?;
    let done = work();
    if matches!(&done, Ok(value) if stays(value)) {
        return done;
    }
    move_into_link_name_space(own.as_fd(), Some(LinkNameSpaceType::ProcessID))
        .context(|| "cannot return from the pid namespace")?;
    done
}
