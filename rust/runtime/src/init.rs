//! The container's first process, from its birth to its program.

use std::{convert::Infallible, ffi::CString, os::fd::OwnedFd};

use pyctr_cgroup::Entrance;
use pyctr_sys::{keyring, netif, root::Root, signals};
use rustix::{
    io::Errno,
    process::{DumpableBehavior, set_dumpable_behavior, setsid},
    system::{setdomainname, sethostname},
    thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid},
};

use crate::{
    create::process_of,
    error::{Context, Error, Result},
    hooks,
    namespace::Plan,
    options::CreateOptions,
    process::{
        launch::{Launch, Seccomp, Streams},
        notify::Receiver,
        scheduling, terminal, workdir,
    },
    procfs::Procfs,
    rootfs::{self, Mounted, Rootfs, open_terminal},
    spec::{Linux, NamespaceType, sysctl_path},
    state::{Oci, Status},
    sync::{Channel, Tag},
};

/// Everything that the first process was given by the runtime.
pub(crate) struct Init<'a> {
    pub(crate) options: &'a CreateOptions<'a>,
    pub(crate) plan: &'a Plan,
    pub(crate) rootfs: Option<Rootfs<'a>>,
    pub(crate) rootfs_options: &'a rootfs::Options,
    pub(crate) entrance: Option<Entrance>,
    pub(crate) seccomp_receiver: Option<Receiver>,
    pub(crate) gate: Option<OwnedFd>,
    pub(crate) streams: Option<[OwnedFd; 3]>,
    pub(crate) procfs: &'a Procfs,
    pub(crate) state: Oci,
}

impl Init<'_> {
    /// Becomes the container's program, or tells why not and ends.
    pub(crate) fn run(self, channel: &Channel) -> ! {
        let Err(error) = self.become_program(channel);
        channel.fail(&error);
        std::process::exit(1)
    }

    fn become_program(mut self, channel: &Channel) -> Result<Infallible> {
        begin(self.entrance.take())?;
        scheduling::reset_affinity();
        self.enter_namespaces(channel)?;
        hide()?;
        let spec = &self.options.spec;
        if !self.options.no_new_keyring {
            join_keyring(self.options.id, channel);
        }
        name_host(spec.hostname.as_deref(), spec.domainname.as_deref())?;
        set_sysctls(self.procfs, &spec.linux)?;
        let terminal = self.enter_root(channel)?;
        set_domain(&spec.linux)?;
        self.state.status = Status::Created;
        self.state.pid = rustix::process::getpid().as_raw_nonzero().get();
        let launch = Launch {
            process: process_of(spec),
            user: self.options.user,
            create_cwd: false,
            streams: streams(terminal, self.streams),
            preserve_fds: self.options.preserve_fds,
            die_with_parent: self.options.die_with_parent,
            seccomp: compile(&spec.linux, self.seccomp_receiver)?,
            start_hooks: &spec.hooks.start_container,
            state: &self.state,
            procfs: self.procfs,
            channel,
            gate: self.gate,
        };
        launch.run()
    }

    fn enter_namespaces(&mut self, channel: &Channel) -> Result<()> {
        let linux = &self.options.spec.linux;
        if self.plan.new_user() {
            channel.expect(Tag::Maps)?;
        }
        self.plan.unshare_rest(self.procfs)?;
        if self.plan.other_user() {
            become_root()?;
        }
        self.plan.join_rest()?;
        if linux.has_new(NamespaceType::Network) {
            netif::set_up(c"lo").context(|| "cannot bring the loopback interface up")?;
        }
        Ok(())
    }

    /// Makes the root file system and enters it. Gives the container's end of its terminal.
    fn enter_root(&mut self, channel: &Channel) -> Result<Option<OwnedFd>> {
        if self.plan.joins(NamespaceType::Mount) {
            let root = Root::open_dir("/").context(|| "cannot open the container's root")?;
            return self.make_terminal(&root, channel);
        }
        let rootfs = match self.rootfs.take() {
            Some(rootfs) => rootfs,
            None => Rootfs::prepare(&self.options.spec, self.rootfs_options)?,
        };
        let mounted = rootfs.mount()?;
        if self.options.create_cwd {
            // Later the root may be read-only.
            workdir::create(mounted.root(), &process_of(&self.options.spec).cwd)?;
        }
        mounted.change_to()?;
        self.run_hooks(channel)?;
        let terminal = self.make_terminal(mounted.root(), channel)?;
        if let Some(terminal) = &terminal {
            Mounted::bind_console(&mounted, terminal)?;
        }
        mounted.enter()?;
        Ok(terminal)
    }

    /// Before the host's tree is gone: the runtime's hooks, then ours.
    fn run_hooks(&self, channel: &Channel) -> Result<()> {
        let hooks = &self.options.spec.hooks;
        if !hooks.prestart.is_empty() || !hooks.create_runtime.is_empty() {
            channel
                .send(Tag::Hooks)
                .context(|| "cannot talk to the runtime")?;
            channel.expect(Tag::Hooks)?;
        }
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        let state = Oci {
            pid,
            ..self.state.clone()
        };
        let state = state.to_json();
        hooks::run("createContainer", &hooks.create_container, &state, None)
    }

    fn make_terminal(&self, root: &Root, channel: &Channel) -> Result<Option<OwnedFd>> {
        let process = process_of(&self.options.spec);
        if !process.terminal {
            return Ok(None);
        }
        offer_terminal(root, process, self.options.bare_lines, channel).map(Some)
    }
}

/// Makes a terminal, sends the runtime its end and gives the container's.
pub(crate) fn offer_terminal(
    root: &Root,
    process: &crate::spec::Process,
    bare_lines: bool,
    channel: &Channel,
) -> Result<OwnedFd> {
    let (master, slave) = open_terminal(root)?;
    if bare_lines {
        terminal::bare_lines(&slave)?;
    }
    if let Some(size) = process.console_size {
        terminal::resize(&master, size)?;
    }
    channel
        .send_with(Tag::Console, "", Some(std::os::fd::AsFd::as_fd(&master)))
        .context(|| "cannot send the terminal")?;
    Ok(slave)
}

/// Processes of the container must not trace us or read our memory while we are among them. Nobody but root can write the maps of
/// a process that is hidden, so it comes after that.
pub(crate) fn hide() -> Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context(|| "cannot become undumpable")
}

/// What every child does first: forget the runtime's signals and session, go where it is limited.
pub(crate) fn begin(entrance: Option<Entrance>) -> Result<()> {
    signals::reset();
    match setsid() {
        Ok(_) | Err(Errno::PERM) => {}
        Err(errno) => return Err(errno).context(|| "cannot make a session"),
    }
    entrance
        .map_or(Ok(()), |entrance| entrance.enter())
        .context(|| "cannot enter the cgroups")
}

/// Root of the user namespace, if it has one.
pub(crate) fn become_root() -> Result<()> {
    let (uid, gid) = (Uid::ROOT, Gid::ROOT);
    let done = set_thread_res_gid(gid, gid, gid).and_then(|()| set_thread_res_uid(uid, uid, uid));
    match done {
        // Without a mapping of 0 we stay who we are, with all rights in the namespace.
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(errno) => Err(errno).context(|| "cannot become root of the user namespace"),
    }
}

/// A session keyring of the container's own; without one it would be the runtime's.
pub(crate) fn join_keyring(id: &str, channel: &Channel) {
    let Ok(name) = CString::new(format!("_ses.{id}")) else {
        return;
    };
    match keyring::join_session(&name) {
        // No keyrings in this kernel, or a seccomp filter around us that says so.
        Ok(()) | Err(Errno::NOSYS | Errno::PERM) => {}
        Err(Errno::DQUOT) => channel
            .warn("the container has no session keyring of its own: the quota of keys is used up"),
        Err(errno) => {
            channel.warn(
                &Error::setup("the container has no session keyring of its own", errno).to_string(),
            );
        }
    }
}

fn name_host(host: Option<&str>, domain: Option<&str>) -> Result<()> {
    if let Some(name) = host.filter(|name| !name.is_empty()) {
        sethostname(name.as_bytes()).context(|| format!("cannot set the host name {name}"))?;
    }
    if let Some(name) = domain.filter(|name| !name.is_empty()) {
        setdomainname(name.as_bytes()).context(|| format!("cannot set the domain name {name}"))?;
    }
    Ok(())
}

fn set_sysctls(procfs: &Procfs, linux: &Linux) -> Result<()> {
    for (name, value) in &linux.sysctl {
        procfs
            .write(sysctl_path(name), value)
            .context(|| format!("cannot set the kernel parameter {name} to {value:?}"))?;
    }
    Ok(())
}

/// What is inherited by everything in the container.
pub(crate) fn set_domain(linux: &Linux) -> Result<()> {
    if let Some(policy) = &linux.memory_policy {
        scheduling::set_memory_policy(policy)?;
    }
    linux
        .personality
        .as_ref()
        .map_or(Ok(()), scheduling::set_personality)
}

pub(crate) fn streams(terminal: Option<OwnedFd>, given: Option<[OwnedFd; 3]>) -> Streams {
    match (terminal, given) {
        (Some(terminal), _) => Streams::Terminal(terminal),
        (None, Some(given)) => Streams::Given(given),
        (None, None) => Streams::Inherit,
    }
}

pub(crate) fn compile(linux: &Linux, receiver: Option<Receiver>) -> Result<Option<Seccomp>> {
    let Some(profile) = &linux.seccomp else {
        return Ok(None);
    };
    let filter = pyctr_seccomp::compile(profile).map_err(|error| {
        Error::new(
            crate::error::Kind::Invalid,
            format!("config.json: linux.{error}"),
        )
    })?;
    Ok(Some(Seccomp { filter, receiver }))
}
