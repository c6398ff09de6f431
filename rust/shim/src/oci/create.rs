//! `create`, and what it shares with `run`: options that say how a container is made from its bundle.

use std::{
    env, fs,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
};

use pyctr_cgroup::Driver;
use pyctr_runtime::{Container, CreateOptions, Gate, spec::Spec};
use rustix::process::Pid;

use super::{Context, Failure, Outcome, args::Flag, args::Parsed, container_id};

/// The options of `create`.
pub const FLAGS: [Flag; 8] = [
    Flag::value(&["bundle", "b"], "DIR", "the bundle (default: .)"),
    Flag::value(
        &["config", "f"],
        "FILE",
        "the document, if it is not config.json in the bundle",
    ),
    Flag::value(
        &["console-socket"],
        "SOCKET",
        "where to send the master of the terminal",
    ),
    Flag::value(
        &["pid-file"],
        "FILE",
        "write the id of the first process there",
    ),
    Flag::value(
        &["preserve-fds"],
        "N",
        "pass on N descriptors from 3 on, besides those of $LISTEN_FDS",
    ),
    Flag::switch(
        &["no-pivot"],
        "do not use pivot_root (for a root on a ramdisk)",
    ),
    Flag::switch(&["no-new-keyring"], "stay in the caller's session keyring"),
    Flag::switch(
        &["no-subreaper"],
        "accepted for callers of runc; only run is a subreaper",
    ),
];

/// Makes a container whose program waits for `start`.
pub fn create(context: &Context, parsed: &Parsed) -> Outcome {
    pyctr_runtime::reexec::reexec_from_readonly_mount()?;
    let bundle = Bundle::open(context, parsed)?;
    let mut options = bundle.options(context, parsed)?;
    options.gate = Gate::Fifo;
    let (container, child) = pyctr_runtime::create(options)?.leave()?;
    warn(context, &child.warnings);
    write_pid_file(parsed, child.pid).inspect_err(|_| abandon(&container))?;
    Ok(0)
}

/// What the words of `create` and `run` name.
#[derive(Debug)]
pub struct Bundle<'a> {
    id: &'a str,
    directory: PathBuf,
    root: PathBuf,
}

impl<'a> Bundle<'a> {
    /// Finds the bundle's directory.
    pub fn open(context: &Context, parsed: &'a Parsed) -> Result<Self, Failure> {
        let id = container_id(parsed)?;
        let given = parsed.get("bundle").unwrap_or(".");
        let directory = fs::canonicalize(given)
            .map_err(|error| Failure::new(format!("cannot open bundle {given}: {error}")))?;
        let root = std::path::absolute(&context.root).map_err(Failure::from_display)?;
        Ok(Self {
            id,
            directory,
            root,
        })
    }

    /// Reads the document and turns the options into those of the runtime.
    pub fn options(
        &self,
        context: &Context,
        parsed: &Parsed,
    ) -> Result<CreateOptions<'_>, Failure> {
        let path = match parsed.get("config") {
            Some(file) => PathBuf::from(file),
            None => self.directory.join("config.json"),
        };
        let spec = Spec::load(&path).map_err(Failure::from_display)?;
        let terminal = spec
            .process
            .as_ref()
            .is_some_and(|process| process.terminal);
        let mut options = CreateOptions::new(self.id, &self.directory, &self.root, spec);
        options.console_socket = console_socket(parsed, terminal)?;
        options.preserve_fds = preserved_fds(parsed)?;
        options.no_pivot = parsed.is_set("no-pivot");
        options.no_new_keyring = parsed.is_set("no-new-keyring");
        options.cgroup_driver = driver(context);
        Ok(options)
    }
}

/// How the document's `cgroupsPath` is to be read.
pub fn driver(context: &Context) -> Driver {
    if context.systemd_cgroup {
        Driver::Systemd
    } else {
        Driver::Cgroupfs
    }
}

/// The socket that takes the terminal; one without the other makes no sense to those who ask for it.
pub fn console_socket(parsed: &Parsed, terminal: bool) -> Result<Option<OwnedFd>, Failure> {
    let Some(path) = parsed.get("console-socket") else {
        return Ok(None);
    };
    if !terminal {
        return Err(Failure::new(
            "--console-socket is given, but process.terminal is not true",
        ));
    }
    let stream = UnixStream::connect(path).map_err(|error| {
        Failure::new(format!("cannot connect to console socket {path}: {error}"))
    })?;
    Ok(Some(stream.into()))
}

/// `--preserve-fds`, and what socket activation hands over (sd_listen_fds(3)).
pub fn preserved_fds(parsed: &Parsed) -> Result<u32, Failure> {
    let asked: u32 = parsed.number("preserve-fds")?.unwrap_or(0);
    let listening = env::var("LISTEN_FDS")
        .ok()
        .and_then(|text| text.parse::<u32>().ok());
    Ok(asked.saturating_add(listening.unwrap_or(0)))
}

/// Writes the file that `--pid-file` names: all of it or nothing, so that who waits for it never reads half a number.
pub fn write_pid_file(parsed: &Parsed, pid: Pid) -> Result<(), Failure> {
    let Some(path) = parsed.get("pid-file").map(Path::new) else {
        return Ok(());
    };
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, pid.to_string())
        .and_then(|()| fs::rename(&new, path))
        .map_err(|error| Failure::new(format!("cannot write pid file {}: {error}", path.display())))
}

/// Tells what was done differently than asked.
pub fn warn(context: &Context, warnings: &[String]) {
    for warning in warnings {
        context.log.warning(warning);
    }
}

/// Takes a container apart that its caller will never hear of.
fn abandon(container: &Container) {
    // The error that brought us here is the one to tell.
    let _ = container.delete(true);
}
