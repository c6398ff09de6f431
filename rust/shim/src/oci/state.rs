//! `state`.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use pyctr_runtime::{Container, Oci};
use serde::Serialize;

use super::{Context, Failure, Outcome, args::Parsed, container_id, print};

/// The specification's state, and who owns the container as `list` tells it.
#[derive(Debug, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    oci: Oci,
    /// Name of the user who made it; the number where it has no name.
    owner: String,
}

impl Entry {
    /// What is known about a container now.
    pub fn of(container: &Container) -> Self {
        Self {
            oci: container.state(),
            owner: owner(container.directory()),
        }
    }

    /// Who made it.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The specification's part.
    pub fn oci(&self) -> &Oci {
        &self.oci
    }
}

fn owner(directory: &Path) -> String {
    let Ok(uid) = fs::metadata(directory).map(|metadata| metadata.uid().to_string()) else {
        return String::new();
    };
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    name.unwrap_or(uid)
}

/// Prints the state of one container.
pub fn state(context: &Context, parsed: &Parsed) -> Outcome {
    let container = Container::open(&context.root, container_id(parsed)?)?;
    let text =
        serde_json::to_string_pretty(&Entry::of(&container)).map_err(Failure::from_display)?;
    print(&(text + "\n")).map_err(Failure::new)
}
