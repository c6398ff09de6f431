//! `pyctr-oci`: the command line that engines expect of an OCI runtime, with the flags of runc and crun.
//!
//! One verb a file; each is a thin layer over the function of the same name in `pyctr-runtime`.

mod args;
mod create;
mod delete;
mod events;
mod exec;
mod features;
mod foreground;
mod kill;
mod list;
mod log;
mod pause;
mod ps;
mod run;
mod signal;
mod spec;
mod start;
mod state;
mod update;

use std::{ffi::OsString, fmt::Display, path::PathBuf, process::ExitCode};

use args::{Flag, Parsed, Place};
use log::Log;
use pyctr_cgroup::Driver;

/// Where the state of containers is kept unless `--root` says otherwise.
const DEFAULT_ROOT: &str = "/run/pyctr-oci";

/// What every verb may use.
#[derive(Debug)]
struct Context {
    /// Directory that holds one state directory per container.
    root: PathBuf,
    /// How a document's `cgroupsPath` is read; none for containers without cgroups.
    cgroup_driver: Option<Driver>,
    log: Log,
}

/// A verb's exit status, or why it could not be done.
type Outcome = Result<u8, Failure>;

/// One line for the user, and the exit status that goes with it.
#[derive(Debug)]
struct Failure {
    message: String,
    status: u8,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 1,
        }
    }

    fn from_display(error: impl Display) -> Self {
        Self::new(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<pyctr_runtime::Error> for Failure {
    fn from(error: pyctr_runtime::Error) -> Self {
        Self::from_display(error)
    }
}

/// One verb of the command line.
struct Verb {
    name: &'static str,
    /// What follows the options.
    operands: &'static str,
    help: &'static str,
    flags: &'static [Flag],
    act: fn(&Context, &Parsed) -> Outcome,
}

impl Verb {
    /// Words of any number are those of another program, with options of its own.
    fn place(&self) -> Place {
        if self.operands.ends_with("...]") {
            Place::Front
        } else {
            Place::Anywhere
        }
    }
}

const VERBS: [Verb; 17] = [
    Verb {
        name: "create",
        operands: "ID",
        help: "make a container from a bundle; its program waits for start",
        flags: &create::FLAGS,
        act: create::create,
    },
    Verb {
        name: "start",
        operands: "ID",
        help: "let the program of a created container run",
        flags: &[],
        act: start::start,
    },
    Verb {
        name: "run",
        operands: "ID",
        help: "create and start a container, and wait for it",
        flags: &run::FLAGS,
        act: run::run,
    },
    Verb {
        name: "exec",
        operands: "ID COMMAND [ARG...]",
        help: "run a further program in a container",
        flags: &exec::FLAGS,
        act: exec::exec,
    },
    Verb {
        name: "kill",
        operands: "ID [SIGNAL]",
        help: "send a signal (default: SIGTERM) to a container's first process",
        flags: &kill::FLAGS,
        act: kill::kill,
    },
    Verb {
        name: "delete",
        operands: "ID",
        help: "release what a stopped container holds",
        flags: &delete::FLAGS,
        act: delete::delete,
    },
    Verb {
        name: "state",
        operands: "ID",
        help: "print the state of a container as JSON",
        flags: &[],
        act: state::state,
    },
    Verb {
        name: "list",
        operands: "",
        help: "list the containers below --root",
        flags: &list::FLAGS,
        act: list::list,
    },
    Verb {
        name: "ps",
        operands: "ID [PS OPTION...]",
        help: "list the processes of a container",
        flags: &ps::FLAGS,
        act: ps::ps,
    },
    Verb {
        name: "pause",
        operands: "ID",
        help: "freeze every process of a container",
        flags: &[],
        act: pause::pause,
    },
    Verb {
        name: "resume",
        operands: "ID",
        help: "let the processes of a paused container go on",
        flags: &[],
        act: pause::resume,
    },
    Verb {
        name: "update",
        operands: "ID",
        help: "change the limits of a container",
        flags: &update::FLAGS,
        act: update::update,
    },
    Verb {
        name: "events",
        operands: "ID",
        help: "print statistics and out-of-memory events as JSON lines",
        flags: &events::FLAGS,
        act: events::events,
    },
    Verb {
        name: "spec",
        operands: "",
        help: "write a config.json to begin with",
        flags: &spec::FLAGS,
        act: spec::spec,
    },
    Verb {
        name: "features",
        operands: "",
        help: "print what this runtime can do as JSON",
        flags: &[],
        act: features::features,
    },
    Verb {
        name: "help",
        operands: "",
        help: "print this help",
        flags: &[],
        act: help,
    },
    Verb {
        name: "version",
        operands: "",
        help: "print the version",
        flags: &[],
        act: version,
    },
];

const GLOBAL_FLAGS: [Flag; 10] = [
    Flag::value(
        &["root"],
        "DIR",
        "where the state of containers is kept (default: /run/pyctr-oci)",
    ),
    Flag::value(&["log"], "FILE", "also write messages to this file"),
    Flag::value(&["log-format"], "FORMAT", "text (default) or json"),
    Flag::value(
        &["log-level"],
        "LEVEL",
        "debug: as --debug; every other message is an error or a warning",
    ),
    Flag::switch(&["debug"], "also tell what is being done"),
    Flag::switch(
        &["systemd-cgroup"],
        "cgroup paths are of the form slice:prefix:name",
    ),
    Flag::value(
        &["cgroup-manager"],
        "NAME",
        "cgroupfs (default), systemd, or disabled: no cgroups, so no limits",
    ),
    Flag::value(
        &["rootless"],
        "BOOL",
        "accepted for callers of runc; found out by asking the kernel",
    ),
    Flag::value(
        &["criu"],
        "PATH",
        "accepted for callers of runc; there is no checkpoint command",
    ),
    Flag::switch(&["version", "v", "V"], "print the version"),
];

/// Reads a command line (without the program's name) and does what it says.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match dispatch(&words) {
        Ok(status) => ExitCode::from(status),
        Err(message) => {
            eprintln!("pyctr-oci: {message}");
            eprintln!("Run 'pyctr-oci --help' for more information");
            ExitCode::FAILURE
        }
    }
}

/// An error here is one of usage; those of a verb are reported through the log that the options name.
fn dispatch(words: &[String]) -> Result<u8, String> {
    let global = args::parse(&GLOBAL_FLAGS, Place::Front, words)?;
    if global.is_set("version") {
        return print(&version_text());
    }
    let Some((name, rest)) = global.operands.split_first().filter(|_| !global.help) else {
        return print(&help_text());
    };
    let verb = VERBS
        .iter()
        .find(|verb| verb.name == name)
        .ok_or_else(|| format!("unknown command \"{name}\""))?;
    let parsed = args::parse(verb.flags, verb.place(), rest)
        .map_err(|reason| format!("{name}: {reason}"))?;
    if parsed.help {
        return print(&verb_help(verb));
    }
    let context = Context::new(&global)?;
    // Others tell it when they run from where they are safe.
    if !["create", "run", "exec"].contains(&verb.name) {
        context.log.debug(&format!("{name} {}", rest.join(" ")));
    }
    Ok((verb.act)(&context, &parsed).unwrap_or_else(|failure| {
        context.log.error(&failure.message);
        failure.status
    }))
}

impl Context {
    fn new(global: &Parsed) -> Result<Self, String> {
        let systemd = global.is_set("systemd-cgroup");
        let manager = global.get("cgroup-manager");
        let cgroup_driver = match manager.unwrap_or(if systemd { "systemd" } else { "cgroupfs" }) {
            "cgroupfs" => Some(Driver::Cgroupfs),
            "systemd" => Some(Driver::Systemd),
            "disabled" => None,
            other => {
                return Err(format!(
                    "unknown cgroup manager \"{other}\": cgroupfs, systemd or disabled"
                ));
            }
        };
        let debug = global.is_set("debug") || global.get("log-level") == Some("debug");
        Ok(Self {
            root: global.get("root").unwrap_or(DEFAULT_ROOT).into(),
            cgroup_driver,
            log: Log::new(global.get("log"), global.get("log-format"), debug)?,
        })
    }
}

/// The one operand of most verbs.
fn container_id(parsed: &Parsed) -> Result<&str, Failure> {
    match parsed.operands.as_slice() {
        [id] => Ok(id),
        [] => Err(Failure::new("the id of a container is missing")),
        [_, extra, ..] => Err(Failure::new(format!("unexpected argument \"{extra}\""))),
    }
}

fn no_operands(parsed: &Parsed) -> Result<(), Failure> {
    match parsed.operands.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::new(format!("unexpected argument \"{extra}\""))),
    }
}

fn print(text: &str) -> Result<u8, String> {
    use std::io::Write as _;
    // A reader that went away early is no failure of ours.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(0)
}

fn help(_: &Context, _: &Parsed) -> Outcome {
    print(&help_text()).map_err(Failure::new)
}

fn version(_: &Context, _: &Parsed) -> Outcome {
    print(&version_text()).map_err(Failure::new)
}

fn version_text() -> String {
    format!(
        "pyctr-oci version {}\nspec: {}\n",
        env!("CARGO_PKG_VERSION"),
        pyctr_runtime::spec::OCI_VERSION
    )
}

fn help_text() -> String {
    let mut text =
        String::from("usage: pyctr-oci [OPTION...] COMMAND [OPTION...] [ARG...]\n\ncommands:\n");
    for verb in &VERBS {
        text += &format!("  {:10} {}\n", verb.name, verb.help);
    }
    text + "\noptions:\n" + &args::describe(&GLOBAL_FLAGS)
}

fn verb_help(verb: &Verb) -> String {
    let usage = format!(
        "usage: pyctr-oci {} [OPTION...] {}\n\n{}\n",
        verb.name, verb.operands, verb.help
    );
    if verb.flags.is_empty() {
        return usage;
    }
    usage + "\noptions:\n" + &args::describe(verb.flags)
}
