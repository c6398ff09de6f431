//! The seam to the runtime: bundles become containers, requests become programs in them.

use std::{path::Path, time::Duration};

use pyctr_runtime::{Child, CreateOptions, Error, ExecOptions, Kind, spec::Spec};
use rustix::process::Pid;

use crate::{
    config::{Config, Rootfs},
    failure::{CONFLICT, Failure},
    request::{ExecRequest, Streams as Wanted},
    streams::Streams,
};
use pyctr_runtime::clock::WallTime;

/// How often a container is taken apart that resists, be it for want of memory or descriptors.
const DELETE_ATTEMPTS: u32 = 5;

/// Between two attempts.
const DELETE_PAUSE: Duration = Duration::from_millis(20);

/// A container that was started.
#[derive(Debug)]
pub struct Container(pyctr_runtime::Container);

/// What its start brought.
#[derive(Debug)]
pub struct Launched {
    /// The container.
    pub container: Container,
    /// Its first process, our child.
    pub pid: Pid,
    /// Our ends of its streams.
    pub streams: Streams,
    /// When its program was started.
    pub started_at: WallTime,
    /// What was done differently than asked.
    pub warnings: Vec<String>,
}

impl Container {
    /// Make and start the container of a locked bundle. If that fails, nothing is left of it.
    pub fn launch(bundle: &Path, config: &Config) -> Result<Launched, Failure> {
        let state_root = state_root(bundle, &config.id)?;
        let spec = Spec::load(&bundle.join("config.json"))
            .map_err(Error::from)
            .map_err(failed)?;
        let terminal = spec
            .process
            .as_ref()
            .is_some_and(|process| process.terminal);
        let mut options = CreateOptions::new(&config.id, bundle, state_root, spec);
        let wanted = Wanted {
            stdin: config.stdin,
            stdout: true,
            stderr: true,
        };
        let mut streams = Streams::default();
        if !terminal {
            (streams, options.streams) = pipes(wanted)?;
        }
        options.overlay = config
            .rootfs
            .as_ref()
            .map(|Rootfs::Overlay(overlay)| overlay.clone());
        options.user = &config.user;
        options.create_cwd = config.create_cwd;
        options.init = config.init.as_deref();
        // What a killed supervisor left is ours, because the lock is.
        options.replace = true;
        options.die_with_parent = true;
        let created = pyctr_runtime::create(options).map_err(failed)?;
        let (container, mut child) = created.start().map_err(failed)?;
        let started_at = WallTime::now();
        let warnings = std::mem::take(&mut child.warnings);
        let container = Self(container);
        let (pid, streams) = own(child, streams, wanted).inspect_err(|_| container.delete())?;
        Ok(Launched {
            container,
            pid,
            streams,
            started_at,
            warnings,
        })
    }

    /// Run another program; it is our child.
    pub fn exec(&self, request: &ExecRequest) -> Result<(Pid, Streams), Failure> {
        // Read again for each exec: kept in memory, it would be the biggest part of an idle supervisor.
        let spec = self.0.spec().map_err(failed)?;
        let mut process = request.process.clone();
        process.terminal = request.tty;
        let mut options = ExecOptions::new(&process);
        let mut streams = Streams::default();
        let wanted = if request.detach {
            Wanted::default()
        } else {
            request.streams
        };
        if !request.tty {
            (streams, options.streams) = pipes(wanted)?;
        }
        options.user = &request.user;
        options.create_cwd = request.create_cwd;
        options.die_with_parent = true;
        let child = self.0.exec(&spec, options).map_err(failed)?;
        own(child, streams, wanted)
    }

    /// Thaw what the container has frozen of itself, which a signal to kill does not reach.
    pub fn let_die(&self) {
        // If that fails, whoever waits for the end kills by the cgroup.
        let _ = self.0.let_die();
    }

    /// Whether memory ran out and the kernel killed something for it. Only known as long as the cgroup is there.
    pub fn oom_killed(&self) -> bool {
        self.0.oom_kills().is_some_and(|kills| kills > 0)
    }

    /// Kill what is left, remove the cgroups, run the hooks. What could not be removed has its record in the bundle still, for the
    /// next command to try.
    pub fn delete(&self) {
        let mut attempts = 0..DELETE_ATTEMPTS;
        while attempts.next().is_some() && self.0.delete(true).is_err() {
            std::thread::sleep(DELETE_PAUSE);
        }
    }
}

/// The directory above the bundle, which the runtime takes for its own list of containers.
fn state_root<'a>(bundle: &'a Path, id: &str) -> Result<&'a Path, Failure> {
    let root = bundle
        .parent()
        .filter(|_| bundle.file_name().is_some_and(|name| name == id));
    root.ok_or_else(|| {
        Failure::engine(format!(
            "shim.json: id: {id:?} is not the name of the bundle {}",
            bundle.display()
        ))
    })
}

/// Our ends, and the program's.
fn pipes(wanted: Wanted) -> Result<(Streams, Option<[std::os::fd::OwnedFd; 3]>), Failure> {
    let (ours, theirs) = Streams::pipes(wanted)
        .map_err(|error| Failure::engine(format!("making pipes: {error}")))?;
    Ok((ours, Some(theirs)))
}

/// The pid stays the child's until we reap it, so its descriptor is not needed.
fn own(child: Child, streams: Streams, wanted: Wanted) -> Result<(Pid, Streams), Failure> {
    let Child { pid, console, .. } = child;
    let terminal = console
        .map(|master| Streams::terminal(master, wanted.stdin))
        .transpose();
    let terminal =
        terminal.map_err(|error| Failure::engine(format!("opening the terminal: {error}")))?;
    Ok((pid, terminal.unwrap_or(streams)))
}

fn failed(error: Error) -> Failure {
    let code = if error.kind() == Kind::State {
        CONFLICT
    } else {
        error.exit_code().into()
    };
    Failure::new(code, error.to_string())
}
