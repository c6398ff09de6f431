//! `create`: from a document to a process that waits for its start.

use std::{
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use pyctr_cgroup::Cgroup;
use pyctr_sys::clone::{Clone, Cloned};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, mknodat, openat, unlink},
    io::Errno,
};

use crate::{
    clock,
    container::Container,
    error::{Context, Error, Kind, Result},
    hooks,
    identity::Identity,
    init::Init,
    namespace::Plan,
    options::{Child, CreateOptions, Gate},
    process::notify::Receiver,
    procfs::Procfs,
    rootfs::{self, CgroupMount, Rootfs},
    spec::{Mount, NamespaceType, Process, Spec},
    state::{self, FILE, GATE, Oci, Record, Status},
    sync::{Channel, Tag},
    talk::Talk,
    userns,
};

/// Where the reaper appears inside the container.
const INIT: &str = "/sbin/docker-init";

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
    /// The program could not be executed; [`Error::exit_code`] says how. Nothing of the container is left then.
    pub fn start(mut self) -> Result<(Container, Child)> {
        let started = self.talk.release().and_then(|()| self.talk.until_running());
        let mut child = match started {
            Ok(child) => child,
            Err(error) => return Err(self.container.undo(error)),
        };
        child.warnings.extend(self.container.run_poststart());
        Ok((self.container, child))
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
    options.spec.validate()?;
    let process = options.spec.process.as_ref();
    process.ok_or_else(|| Error::new(Kind::Invalid, "config.json: process: is missing"))?;
    if let Some(init) = options.init {
        insert_init(&mut options.spec, init);
    }
    let directory = claim(&options)?;
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
    let gate = match options.gate {
        Gate::Fifo => Some(make_gate(made.directory)?),
        Gate::Caller => None,
    };
    let mut warnings = Vec::new();
    made.cgroup = make_cgroup(options, &mut warnings)?;
    let cgroup = made.cgroup.as_ref();
    let mut plan = Plan::new(&options.spec.linux)?;
    let streams = options.streams.take();
    let console_socket = options.console_socket.take();
    let options = &*options;
    let rootfs_options = rootfs::Options {
        bundle: options.bundle.to_owned(),
        overlay: options.overlay.clone(),
        idmap_root: false,
        no_pivot: options.no_pivot,
        cgroups: cgroup.map(cgroup_mounts).unwrap_or_default(),
    };
    // An ordinary user has the right to mount only inside; and a namespace of somebody else's is complete.
    let later = plan.other_user() && !rustix::process::geteuid().is_root();
    let rootfs = if later || plan.joins(NamespaceType::Mount) {
        None
    } else {
        Some(Rootfs::prepare(&options.spec, &rootfs_options)?)
    };
    let mut record = Record {
        oci_version: options.spec.oci_version.clone(),
        id: options.id.to_owned(),
        bundle: options.bundle.to_owned(),
        annotations: options.spec.annotations.clone(),
        rootfs: options
            .spec
            .root
            .as_ref()
            .map(|root| options.bundle.join(&root.path)),
        created: clock::now(),
        init: Identity {
            pid: 0,
            start_time: 0,
        },
        cgroup: options.spec.linux.cgroups_path.clone(),
        cgroup_paths: cgroup.map(Cgroup::paths).unwrap_or_default(),
        namespaces: options.spec.linux.namespaces.clone(),
        poststart: options.spec.hooks.poststart.clone(),
        poststop: options.spec.hooks.poststop.clone(),
    };
    let state = record.oci(Status::Creating);
    let seccomp_receiver = match &options.spec.linux.seccomp {
        Some(profile) => Receiver::connect(profile, state.clone())?,
        None => None,
    };
    let entrance = cgroup.map(Cgroup::entrance).transpose()?;
    let channels = Channel::pair().context(|| "cannot make a socket")?;
    let clone = Clone {
        cgroup: cgroup.and_then(Cgroup::unified_fd),
        ..Clone::default()
    };
    let (pid, pidfd) = match plan.spawn(clone)? {
        Cloned::Parent(pid, pidfd) => (pid, pidfd),
        Cloned::Child => {
            drop(channels.0);
            let init = Init {
                options,
                plan,
                rootfs,
                rootfs_options: &rootfs_options,
                entrance,
                seccomp_receiver,
                gate,
                streams,
                procfs: &procfs,
                state,
            };
            init.run(&channels.1)
        }
    };
    // The child has copies of its own.
    drop((
        channels.1,
        rootfs,
        entrance,
        gate,
        streams,
        seccomp_receiver,
    ));
    let mut talk = Talk::new(pid, pidfd, channels.0, console_socket);
    warnings.into_iter().for_each(|warning| talk.warn(warning));
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
    talk.until_ready(|| run_runtime_hooks(&options.spec, &record.oci(Status::Creating)))?;
    talk.limit(&procfs, process_of(&options.spec))?;
    keep_document(options, made.directory)?;
    record.save(made.directory)?;
    Ok(Created {
        container: Container::new(made.directory.to_owned(), record),
        talk,
    })
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

/// Makes the container's directory, unless there is a container in it.
fn claim(options: &CreateOptions<'_>) -> Result<PathBuf> {
    let taken = || {
        Error::new(
            Kind::Exists,
            format!("container {} exists already", options.id),
        )
    };
    match Record::load(&options.directory(), options.id) {
        Ok(old) if options.replace && !old.init.is_alive() => {}
        // One that cannot be read is in the way too, until it is deleted.
        Ok(_) => return Err(taken()),
        Err(error) if error.kind() == Kind::NoSuchContainer => {}
        Err(_) if options.replace => {}
        Err(_) => return Err(taken()),
    }
    state::make_directory(options.state_root, options.id)
}

fn make_gate(directory: &Path) -> Result<OwnedFd> {
    let path = directory.join(GATE);
    let what = || format!("cannot make {}", path.display());
    match unlink(&path) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno).context(what),
    }
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).context(what)?;
    // Open for both, so that neither end ever waits for the other one to be opened.
    openat(CWD, &path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).context(what)
}

fn make_cgroup(options: &CreateOptions<'_>, warnings: &mut Vec<String>) -> Result<Option<Cgroup>> {
    let linux = &options.spec.linux;
    let default = format!("/pyctr/{}", options.id);
    let path = linux
        .cgroups_path
        .as_deref()
        .filter(|path| !path.is_empty())
        .unwrap_or(&default);
    let cgroup = match Cgroup::create(path, options.cgroup_driver) {
        Ok(cgroup) => cgroup,
        // An ordinary user may have no cgroup to use; that is an error only if limits are asked for.
        Err(error)
            if error.is_permission()
                && !rustix::process::geteuid().is_root()
                && linux.resources.is_none() =>
        {
            warnings.push(format!("the container has no cgroup: {error}"));
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(resources) = &linux.resources
        && let Err(error) = cgroup.apply(resources)
    {
        let _ = cgroup.remove();
        return Err(error.into());
    }
    Ok(Some(cgroup))
}

/// The directories of a cgroup under the names that a mount of type `cgroup` gives them.
fn cgroup_mounts(cgroup: &Cgroup) -> Vec<CgroupMount> {
    let paths = cgroup.paths();
    let only = paths.len() == 1;
    let name = |hierarchy: String| match hierarchy.strip_prefix("name=") {
        Some(name) => name.to_owned(),
        None if hierarchy.is_empty() && !only => "unified".to_owned(),
        None => hierarchy,
    };
    paths
        .into_iter()
        .map(|(hierarchy, path)| CgroupMount {
            name: name(hierarchy),
            path,
        })
        .collect()
}

/// Puts the reaper in front of the program.
fn insert_init(spec: &mut Spec, init: &Path) {
    spec.mounts.push(Mount {
        destination: INIT.into(),
        kind: Some("bind".into()),
        source: Some(init.to_owned()),
        options: ["bind", "ro", "nosuid", "nodev"]
            .map(str::to_owned)
            .to_vec(),
        ..Mount::default()
    });
    if let Some(process) = &mut spec.process {
        process.args.splice(0..0, [INIT, "--"].map(str::to_owned));
    }
}

/// Keeps a copy of the document for `exec`: the bundle may change or go.
fn keep_document(options: &CreateOptions<'_>, directory: &Path) -> Result<()> {
    if directory == options.bundle {
        return Ok(());
    }
    let (from, to) = (
        options.bundle.join("config.json"),
        directory.join("config.json"),
    );
    match fs::copy(&from, &to) {
        // The caller has the document from elsewhere.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map(drop).context(|| {
            format!(
                "cannot copy {} to {}",
                from.display(),
                directory.join(FILE).display()
            )
        }),
    }
}
