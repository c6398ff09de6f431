//! From the document's list to a process that is in the namespaces.

use pyctr_sys::clone::{Clone, Cloned};
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
    thread::UnshareFlags,
};

use super::{Foreign, KINDS, between::through_another, is_own, time, visit::Visit};
use crate::{
    error::{Context, Error, Kind, Result},
    procfs::Procfs,
    spec::{Linux, NamespaceType, TimeOffsets},
};

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
                    } else if let Some(name) = linux.sysctl_of(kind) {
                        return Err(Error::new(
                            Kind::Invalid,
                            format!(
                                "config.json: linux.sysctl.{name}: {} is the host's {} namespace",
                                path.display(),
                                kind.name()
                            ),
                        ));
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
            Some(offsets) => time::enter(procfs, offsets),
            None => Ok(()),
        }
    }
}
