//! `pause` and `resume`.

use pyctr_runtime::Container;

use super::{Context, Outcome, args::Parsed, container_id};

/// Freezes a container.
pub fn pause(context: &Context, parsed: &Parsed) -> Outcome {
    Container::open(&context.root, container_id(parsed)?)?.pause()?;
    Ok(0)
}

/// Lets a paused container go on.
pub fn resume(context: &Context, parsed: &Parsed) -> Outcome {
    Container::open(&context.root, container_id(parsed)?)?.resume()?;
    Ok(0)
}
