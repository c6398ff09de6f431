//! `kill`.

use pyctr_runtime::{Container, Status};

use super::{Context, Failure, Outcome, args::Flag, args::Parsed, signal};

/// The options of `kill`.
pub const FLAGS: [Flag; 1] = [Flag::switch(
    &["all", "a"],
    "signal every process of the container",
)];

/// Sends a signal.
pub fn kill(context: &Context, parsed: &Parsed) -> Outcome {
    let (id, name) = match parsed.operands.as_slice() {
        [id] => (id, "SIGTERM"),
        [id, name] => (id, name.as_str()),
        [] => return Err(Failure::new("the id of a container is missing")),
        [_, _, extra, ..] => return Err(Failure::new(format!("unexpected argument \"{extra}\""))),
    };
    let container = Container::open(&context.root, id)?;
    if name == "0" {
        return probe(&container, parsed.is_set("all"));
    }
    let signal = signal::parse(name)?;
    if parsed.is_set("all") {
        container.kill_all(signal)?;
    } else {
        container.kill(signal)?;
    }
    Ok(0)
}

/// Signal 0 only asks whether there is somebody to send one to; to all of nobody is no error (kill(2)).
fn probe(container: &Container, all: bool) -> Outcome {
    if all || container.status() != Status::Stopped {
        return Ok(0);
    }
    Err(Failure::new(format!(
        "cannot kill container {}: container not running",
        container.id()
    )))
}
