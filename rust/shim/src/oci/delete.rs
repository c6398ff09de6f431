//! `delete`.

use pyctr_runtime::{Container, Kind};

use super::{Context, Outcome, args::Flag, args::Parsed, container_id, create::warn};

/// The options of `delete`.
pub const FLAGS: [Flag; 1] = [Flag::switch(
    &["force", "f"],
    "kill a container that is running; one that does not exist is no failure",
)];

/// Removes what is left of a container.
pub fn delete(context: &Context, parsed: &Parsed) -> Outcome {
    let force = parsed.is_set("force");
    match Container::open(&context.root, container_id(parsed)?) {
        Err(error) if force && error.kind() == Kind::NoSuchContainer => Ok(0),
        container => {
            warn(context, &container?.delete(force)?);
            Ok(0)
        }
    }
}
