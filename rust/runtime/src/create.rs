//! `create`: from a document to a process that waits for its start.

mod parts;

use std::path::Path;

use pyctr_cgroup::Cgroup;
use pyctr_sys::clone::{Clone, Cloned};
use rustix::process::geteuid;

use crate::{
    container::Container,
    error::{Context, Error, Kind, Result},
    hooks,
    identity::Identity,
    init::Init,
    namespace::Plan,
    options::{Child, CreateOptions, Gate},
    process::notify::Receiver,
    procfs::Procfs,
    rootfs::Rootfs,
    spec::{NamespaceType, Process, Spec},
    state::{self, Oci, Record, Status},
    sync::{Channel, Tag},
    talk::{self, Talk},
    userns,
};

/// A container whose program waits for its start.
#[derive(Debug)]
pub struct Created {
    container: Container,
    talk: Talk,
}

impl Created {
    /// What is known about it.
    #[must_use]
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// Lets its program run, and gives the process to the caller to wait for.
    ///
    /// # Errors
    /// The program could not be executed, [`Error::exit_code`] says how; or a poststart hook failed. Nothing of the container is
    /// left then.
    pub fn start(mut self) -> Result<(Container, Child)> {
        let started = self.talk.release().and_then(|()| self.talk.until_running());
        let child = match started {
            Ok(child) => child,
            Err(error) => return Err(self.container.undo(error)),
        };
        match self.container.run_poststart() {
            Ok(()) => Ok((self.container, child)),
            Err(error) => {
                talk::end(&child);
                Err(self.container.undo(error))
            }
        }
    }

    /// Leaves it to be started by [`Container::start`] of any process.
    ///
    /// # Errors
    /// Its process has ended.
    pub fn leave(mut self) -> Result<(Container, Child)> {
        match self.talk.release().and_then(|()| self.talk.done()) {
            Ok(child) => Ok((self.container, child)),
            Err(error) => Err(self.container.undo(error)),
        }
    }
}

/// Makes a container up to the point where only its program is missing.
///
/// # Errors
/// The document is invalid, the name is taken, or a step failed. Nothing of the container is left then.
pub fn create(mut options: CreateOptions<'_>) -> Result<Created> {
    state::check_id(options.id)?;
    userns::fill_maps(&mut options.spec.linux)?;
    options.spec.validate()?;
    let process = options.spec.process.as_ref();
    process.ok_or_else(|| Error::new(Kind::Invalid, "config.json: process: is missing"))?;
    if let Some(init) = options.init {
        parts::insert_init(&mut options.spec, init);
    }
    let (directory, _lock) = parts::claim(&options)?;
    let mut made = Made {
        directory: &directory,
        bundle: options.bundle,
        cgroup: None,
        keep: false,
    };
    let created = build(&mut options, &mut made)?;
    made.keep = true;
    Ok(created)
}

/// What has to go again if a later step fails.
struct Made<'a> {
    directory: &'a Path,
    bundle: &'a Path,
    cgroup: Option<Cgroup>,
    keep: bool,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // The error that brought us here is the one to tell.
        if let Some(cgroup) = &self.cgroup {
            let _ = cgroup.kill();
            let _ = cgroup.remove();
        }
        crate::delete::remove_files(self.directory, self.bundle);
    }
}

fn build(options: &mut CreateOptions<'_>, made: &mut Made<'_>) -> Result<Created> {
    let procfs = Procfs::open().context(|| "cannot open /proc")?;
    let mut warnings = Vec::new();
    made.cgroup = parts::make_cgroup(options, &mut warnings)?;
    let cgroup = made.cgroup.as_ref();
    let mut record = parts::record(options, cgroup);
    let mut plan = Plan::new(&options.spec.linux)?;
    let mut talk = spawn(
        options,
        made,
        &mut plan,
        &procfs,
        record.oci(Status::Creating),
    )?;
    warnings.into_iter().for_each(|warning| talk.warn(warning));
    let pid = talk.pid();
    record.init = Identity::of(pid).context(|| "cannot read the container's process")?;
    if plan.outside()
        && let Some(Err(error)) = cgroup.map(|cgroup| cgroup.join(pid))
    {
        talk.warn(error.to_string());
    }
    if plan.new_user() {
        userns::write_maps(&procfs, pid, &options.spec.linux)?;
        talk.channel()
            .send(Tag::Maps)
            .context(|| "cannot talk to the container's process")?;
    }
    // Written while the child mounts its root, published when it is ready.
    parts::keep_document(options, made.directory)?;
    record.stage(made.directory)?;
    talk.until_ready(|| run_runtime_hooks(&options.spec, &record.oci(Status::Creating)))?;
    talk.limit(&procfs, process_of(&options.spec))?;
    Record::publish(made.directory)?;
    Ok(Created {
        container: Container::new(made.directory.to_owned(), record),
        talk,
    })
}

/// Clones the first process, with everything that it needs; what is the child's alone is gone from here afterwards.
fn spawn(
    options: &mut CreateOptions<'_>,
    made: &Made<'_>,
    plan: &mut Plan,
    procfs: &Procfs,
    state: Oci,
) -> Result<Talk> {
    let cgroup = made.cgroup.as_ref();
    let streams = options.streams.take();
    let console_socket = options.console_socket.take();
    let options = &*options;
    let gate = match options.gate {
        Gate::Fifo => Some(parts::make_gate(made.directory)?),
        Gate::Caller => None,
    };
    let rootfs_options = parts::rootfs_options(options, cgroup);
    // An ordinary user has the right to mount only inside; and a namespace of somebody else's is complete.
    let later = plan.other_user() && !geteuid().is_root();
    let rootfs = if later || plan.joins(NamespaceType::Mount) {
        None
    } else {
        Some(Rootfs::prepare(&options.spec, &rootfs_options)?)
    };
    let seccomp_receiver = match &options.spec.linux.seccomp {
        Some(profile) => Receiver::connect(profile, state.clone())?,
        None => None,
    };
    let entrance = cgroup.map(Cgroup::entrance).transpose()?;
    let (ours, theirs) = Channel::pair().context(|| "cannot make a socket")?;
    let clone = Clone {
        cgroup: cgroup.and_then(Cgroup::unified_fd),
        ..Clone::default()
    };
    match plan.spawn(clone)? {
        Cloned::Parent(pid, pidfd) => Ok(Talk::new(pid, pidfd, ours, console_socket)),
        Cloned::Child => {
            drop(ours);
            let init = Init {
                options,
                plan,
                rootfs,
                rootfs_options: &rootfs_options,
                entrance,
                seccomp_receiver,
                gate,
                streams,
                procfs,
                state,
            };
            init.run(&theirs)
        }
    }
}

pub(crate) fn process_of(spec: &Spec) -> &Process {
    static NONE: std::sync::LazyLock<Process> = std::sync::LazyLock::new(Process::default);
    spec.process.as_ref().unwrap_or(&NONE)
}

fn run_runtime_hooks(spec: &Spec, state: &Oci) -> Result<()> {
    let text = state.to_json();
    hooks::run("prestart", &spec.hooks.prestart, &text, None)?;
    hooks::run("createRuntime", &spec.hooks.create_runtime, &text, None)
}
