//! `start`.

use pyctr_runtime::Container;

use super::{Context, Outcome, args::Parsed, container_id, create::warn};

/// Opens the gate of a created container.
pub fn start(context: &Context, parsed: &Parsed) -> Outcome {
    let container = Container::open(&context.root, container_id(parsed)?)?;
    warn(context, &container.start()?);
    Ok(0)
}
