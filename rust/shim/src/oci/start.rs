//! `start`.

use pyctr_runtime::Container;

use super::{Context, Outcome, args::Parsed, container_id};

/// Opens the gate of a created container.
pub fn start(context: &Context, parsed: &Parsed) -> Outcome {
    let container = Container::open(&context.root, container_id(parsed)?)?;
    container.start()?;
    Ok(0)
}
