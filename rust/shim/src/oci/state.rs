//! `state`.

use pyctr_runtime::{Container, Oci};
use serde::Serialize;

use super::{Context, Failure, Outcome, args::Parsed, container_id, print};

/// The specification's state, and who owns the container as `list` tells it.
#[derive(Debug, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    oci: Oci,
    /// Name of the user who made it.
    owner: &'static str,
}

impl Entry {
    /// What is known about a container now.
    pub fn of(container: &Container) -> Self {
        Self {
            oci: container.state(),
            owner: "",
        }
    }

    /// The specification's part.
    pub fn oci(&self) -> &Oci {
        &self.oci
    }
}

/// Prints the state of one container.
pub fn state(context: &Context, parsed: &Parsed) -> Outcome {
    let container = Container::open(&context.root, container_id(parsed)?)?;
    let text =
        serde_json::to_string_pretty(&Entry::of(&container)).map_err(Failure::from_display)?;
    print(&(text + "\n")).map_err(Failure::new)
}
