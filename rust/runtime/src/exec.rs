//! `exec`: adds a process to a running container.

use std::{
    convert::Infallible,
    os::fd::{AsFd, OwnedFd},
};

use pyctr_cgroup::{Cgroup, Entrance, unified_fd_of};
use pyctr_sys::{
    clone::{Clone, Cloned},
    root::Root,
};
use rustix::{io::Errno, process::geteuid};

use crate::{
    container::Container,
    error::{Context, Error, Kind, Result},
    init::{become_root, begin, compile, hide, join_keyring, offer_terminal, set_domain, streams},
    namespace::{foreign_kinds, join_bits, join_of, through_another, with_pid_namespace_of},
    options::{Child, ExecOptions},
    process::{launch::Launch, notify::Receiver, scheduling},
    procfs::Procfs,
    spec::{CpuAffinity, NamespaceType, Spec},
    state::Status,
    sync::Channel,
    talk::Talk,
};

impl Container {
    /// Runs a process in the container; the caller has to wait for it. `spec` is the container's document, which says what holds
    /// for all its processes.
    ///
    /// # Errors
    /// The container is not running, or is paused; the program could not be executed; a step failed.
    pub fn exec(&self, spec: &Spec, mut options: ExecOptions<'_>) -> Result<Child> {
        options.process.validate("process.")?;
        let target = self
            .record
            .init
            .open()
            .ok_or_else(|| self.refuse("exec in", "it is not running"))?;
        if !options.ignore_paused && self.status() == Status::Paused {
            return Err(Error::new(
                Kind::State,
                format!("cannot exec in a paused container: {}", self.id()),
            ));
        }
        let mut way = self.way_in(&options)?;
        let procfs = Procfs::open().context(|| "cannot open /proc")?;
        let receiver = match &spec.linux.seccomp {
            Some(profile) => Receiver::connect(profile, self.record.oci(Status::Running))?,
            None => None,
        };
        let (given, console) = (options.streams.take(), options.console_socket.take());
        let (ours, theirs) = Channel::pair().context(|| "cannot make a socket")?;
        match self.spawn(&mut way, &target)? {
            Cloned::Child => {
                drop(ours);
                let Err(error) = self.become_program(
                    spec, &options, way, &target, &procfs, &theirs, given, receiver,
                );
                theirs.fail(&error);
                std::process::exit(1)
            }
            Cloned::Parent(pid, pidfd) => {
                drop((theirs, given, receiver));
                let mut talk = Talk::new(pid, pidfd, ours, console);
                talk.until_ready(|| Ok(()))?;
                talk.limit(&procfs, options.process)?;
                talk.release()?;
                talk.until_running()
            }
        }
    }

    fn way_in(&self, options: &ExecOptions<'_>) -> Result<Way> {
        let gone = || self.refuse("exec in", "it is not running");
        let pid = self.record.pid().ok_or_else(gone)?;
        let cgroup = if options.cgroups.is_empty() {
            self.cgroup()?
        } else {
            Some(self.cgroup_below(&options.cgroups)?)
        };
        let everywhere = options.cgroups.iter().any(|(names, _)| names.is_none());
        let unified = match &cgroup {
            Some(cgroup) if everywhere => cgroup
                .unified_fd()
                .map(|fd| fd.try_clone_to_owned())
                .transpose()
                .context(|| "cannot open the cgroup")?,
            // The first process may have moved on to a group below.
            Some(cgroup) if cgroup.unified_fd().is_some() => unified_fd_of(pid).ok(),
            _ => None,
        };
        let kinds = foreign_kinds(pid).map_err(|_| gone())?;
        // All of this was its own only if it lives on.
        if !self.record.init.is_alive() {
            return Err(gone());
        }
        let entrance = cgroup.as_ref().map(Cgroup::entrance).transpose()?;
        Ok(Way {
            kinds,
            unified,
            entrance,
            joined_user: false,
        })
    }

    fn cgroup_below(&self, subs: &[(Option<&str>, &str)]) -> Result<Cgroup> {
        let mut paths = self.record.cgroup_paths.clone();
        for (names, sub) in subs {
            let sub = sub.trim_matches('/');
            let parts = || sub.split('/').filter(|_| !sub.is_empty());
            if parts().any(|part| matches!(part, "" | "." | "..")) {
                let why = format!("bad sub cgroup path {sub:?}: it is not below the container's");
                return Err(self.refuse("exec in", &why));
            }
            for name in self.hierarchies(*names)? {
                let path = self.record.cgroup_paths[name].join(sub);
                if !path.is_dir() {
                    let path = path.display();
                    let why = format!("error adding pid to {path}: no such file or directory");
                    return Err(self.refuse("exec in", &why));
                }
                paths.insert(name.to_owned(), path);
            }
        }
        Ok(Cgroup::from_paths(self.id(), &paths)?)
    }

    /// The container's hierarchies with these controllers (`cpu,cpuacct`); all without.
    fn hierarchies(&self, controllers: Option<&str>) -> Result<Vec<&str>> {
        let all = || self.record.cgroup_paths.keys().map(String::as_str);
        let Some(controllers) = controllers else {
            return Ok(all().collect());
        };
        let holds = |hierarchy: &str, wanted: &str| hierarchy.split(',').any(|name| name == wanted);
        let mut found = Vec::new();
        for wanted in controllers.split(',') {
            let before = found.len();
            found.extend(all().filter(|hierarchy| holds(hierarchy, wanted)));
            if found.len() == before {
                let why = format!("unknown controller {wanted} in --cgroup");
                return Err(self.refuse("exec in", &why));
            }
        }
        Ok(found)
    }

    /// A process is born in its pid namespace, so somebody has to be there before it.
    fn spawn(&self, way: &mut Way, target: &OwnedFd) -> Result<Cloned> {
        let clone = Clone {
            cgroup: way.unified.as_ref().map(AsFd::as_fd),
            ..Clone::default()
        };
        let spawn = |clone: Clone<'_>| {
            clone
                .spawn()
                .context(|| "cannot clone a process into the container")
        };
        if !way.kinds.contains(&NamespaceType::Pid) {
            return spawn(clone);
        }
        if geteuid().is_root() || !way.kinds.contains(&NamespaceType::User) {
            return with_pid_namespace_of(
                target,
                || spawn(clone),
                |cloned| matches!(cloned, Cloned::Child),
            );
        }
        // An ordinary user has no rights but those of the user namespace, and no way back from there.
        let kinds = std::mem::take(&mut way.kinds);
        let cloned = through_another(|| {
            join_of(target, join_bits(&kinds, |_| true))
                .context(|| "cannot join the namespaces of the container")?;
            spawn(Clone {
                sibling: true,
                ..clone
            })
        })?;
        way.joined_user = true;
        Ok(cloned)
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "called once; they are what the child owns"
    )]
    fn become_program(
        &self,
        spec: &Spec,
        options: &ExecOptions<'_>,
        way: Way,
        target: &OwnedFd,
        procfs: &Procfs,
        channel: &Channel,
        given: Option<[OwnedFd; 3]>,
        receiver: Option<Receiver>,
    ) -> Result<Infallible> {
        let process = options.process;
        let affinity = process.exec_cpu_affinity.clone().unwrap_or_default();
        affinity
            .initial
            .as_deref()
            .map_or(Ok(()), scheduling::set_affinity)?;
        hide()?;
        begin(way.entrance)?;
        affinity
            .last
            .as_deref()
            .map_or(Ok(()), scheduling::set_affinity)?;
        if affinity == CpuAffinity::default() {
            scheduling::reset_affinity();
        }
        join_namespaces(&way.kinds, target)?;
        if way.joined_user || way.kinds.contains(&NamespaceType::User) {
            become_root()?;
        }
        join_keyring(self.id(), channel);
        let terminal = if process.terminal {
            let root = Root::open_dir("/").context(|| "cannot open the container's root")?;
            Some(offer_terminal(&root, process, options.bare_lines, channel)?)
        } else {
            None
        };
        set_domain(&spec.linux)?;
        let state = self.record.oci(Status::Running);
        let launch = Launch {
            process,
            user: options.user,
            create_cwd: options.create_cwd,
            streams: streams(terminal, given),
            preserve_fds: options.preserve_fds,
            die_with_parent: options.die_with_parent,
            seccomp: compile(&spec.linux, receiver)?,
            start_hooks: &[],
            state: &state,
            procfs,
            channel,
            gate: None,
        };
        launch.run()
    }
}

/// What leads into a container.
#[derive(Debug)]
struct Way {
    /// The kinds of namespaces in which it is and we are not.
    kinds: Vec<NamespaceType>,
    unified: Option<OwnedFd>,
    entrance: Option<Entrance>,
    /// The process in between has joined everything already.
    joined_user: bool,
}

/// The pid namespace was joined before the clone. The host's namespaces among the others must be joined with the host's rights, so
/// the user namespace comes last; an ordinary user has no rights but those of the user namespace, and takes all at once.
fn join_namespaces(kinds: &[NamespaceType], target: &OwnedFd) -> Result<()> {
    let what = || "cannot join the namespaces of the container";
    let user = kinds.contains(&NamespaceType::User);
    let others = join_bits(kinds, |kind| {
        !matches!(kind, NamespaceType::User | NamespaceType::Pid)
    });
    match join_of(target, others) {
        Err(Errno::PERM) if user => {
            join_of(target, join_bits(kinds, |kind| kind != NamespaceType::Pid)).context(what)?;
        }
        other => {
            other.context(what)?;
            join_of(target, join_bits(kinds, |kind| kind == NamespaceType::User)).context(what)?;
        }
    }
    Ok(())
}
