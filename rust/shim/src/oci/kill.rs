//! `kill`.

use pyctr_runtime::Container;

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
    let signal = signal::parse(name)?;
    let container = Container::open(&context.root, id)?;
    if parsed.is_set("all") {
        container.kill_all(signal)?;
    } else {
        container.kill(signal)?;
    }
    Ok(0)
}
