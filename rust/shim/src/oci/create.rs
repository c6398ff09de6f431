//! `create`, and what it shares with `run`: options that say how a container is made from its bundle.

use std::{
    env, fs,
    io::{IoSlice, IsTerminal as _},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
};

use pyctr_runtime::{Child, Container, CreateOptions, Gate, spec::Spec};

use super::{Context, Failure, Outcome, args::Flag, args::Parsed, container_id};

/// The options of `create`.
pub const FLAGS: [Flag; 9] = [
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
    Flag::value(
        &["pidfd-socket"],
        "SOCKET",
        "where to send a descriptor for the first process",
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
    let announce = Announcement::prepare(parsed)?;
    let (container, child) = pyctr_runtime::create(options)?.leave()?;
    advise(context, &child.warnings);
    announce.make(&child).inspect_err(|_| abandon(&container))?;
    Ok(0)
}

/// What comes before anything of ours is opened, and after what the caller may have left open for us to read: nothing of ours, and
/// nothing inherited by chance, is to be within the program's reach.
pub fn seclude(parsed: &Parsed) -> Result<(), Failure> {
    pyctr_sys::exec::inherit_only(preserved_fds(parsed)?).map_err(Failure::from_display)
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
        let mut spec = Spec::load(&path).map_err(Failure::from_display)?;
        seclude(parsed)?;
        let mut terminal = false;
        if let Some(process) = &mut spec.process {
            terminal = process.terminal;
            process.env.extend(activation());
        }
        tell(context, &format!("make container {}", self.id), &spec);
        let mut options = CreateOptions::new(self.id, &self.directory, &self.root, spec);
        options.console_socket = console_socket(parsed, terminal)?;
        options.preserve_fds = preserved_fds(parsed)?;
        options.create_cwd = true;
        options.no_pivot = parsed.is_set("no-pivot");
        options.no_new_keyring = parsed.is_set("no-new-keyring");
        options.cgroup_driver = context.cgroup_driver;
        Ok(options)
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
    Ok(asked.saturating_add(listening().unwrap_or(0)))
}

fn listening() -> Option<u32> {
    env::var("LISTEN_FDS").ok()?.parse().ok()
}

/// What tells the first process, whose id is 1 inside, about descriptors of socket activation.
fn activation() -> Vec<String> {
    let Some(count) = listening() else {
        return Vec::new();
    };
    let mut entries = vec![format!("LISTEN_FDS={count}"), "LISTEN_PID=1".to_owned()];
    entries.extend(env::var("LISTEN_FDNAMES").map(|names| format!("LISTEN_FDNAMES={names}")));
    entries
}

/// How the caller learns which process was made: by `--pid-file` and `--pidfd-socket`.
#[derive(Debug)]
pub struct Announcement<'a> {
    file: Option<&'a Path>,
    socket: Option<UnixStream>,
}

impl<'a> Announcement<'a> {
    /// Finds out whether it can be made, before there is anything to announce.
    pub fn prepare(parsed: &'a Parsed) -> Result<Self, Failure> {
        let connect = |path: &str| {
            UnixStream::connect(path).map_err(|error| {
                Failure::new(format!("cannot connect to pidfd socket {path}: {error}"))
            })
        };
        Ok(Self {
            file: parsed.get("pid-file").map(Path::new),
            socket: parsed.get("pidfd-socket").map(connect).transpose()?,
        })
    }

    /// Writes the file, all of it or nothing, so that who waits for it never reads half a number; and sends the descriptor.
    pub fn make(&self, child: &Child) -> Result<(), Failure> {
        if let Some(path) = self.file {
            let mut new = path.as_os_str().to_owned();
            new.push(".new");
            fs::write(&new, child.pid.to_string())
                .and_then(|()| fs::rename(&new, path))
                .map_err(|error| {
                    Failure::new(format!("cannot write pid file {}: {error}", path.display()))
                })?;
        }
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        pyctr_runtime::send_fd(socket.as_fd(), &[IoSlice::new(b"pidfd")], &[child.as_fd()])
            .map_err(|error| Failure::new(format!("cannot send the pidfd: {error}")))
    }
}

/// Tells what was done differently than asked.
pub fn warn(context: &Context, warnings: &[String]) {
    for warning in warnings {
        context.log.warning(warning);
    }
}

/// As [`warn`], where standard error belongs to the program that was started as well: it is not to be mixed with our words
/// unless a person reads it.
pub fn advise(context: &Context, warnings: &[String]) {
    if context.log.has_file() || std::io::stderr().is_terminal() {
        warn(context, warnings);
    }
}

/// What is being done, and what the kernel will be asked for, with `--debug`. What is wrong with the profile is told when it is needed.
pub fn tell(context: &Context, what: &str, spec: &Spec) {
    context.log.debug(what);
    let flags = || pyctr_runtime::seccomp_flags(spec.linux.seccomp.as_ref()?);
    if let Some(flags) = context.log.debugs().then(flags).flatten() {
        context.log.debug(&format!("seccomp filter flags: {flags}"));
    }
}

/// Takes a container apart that its caller will never hear of.
fn abandon(container: &Container) {
    // The error that brought us here is the one to tell.
    let _ = container.delete(true);
}
