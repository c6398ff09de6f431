//! The OCI runtime specification's `config.json` (version 1.2, Linux) as types.
//!
//! Only what Linux uses is here; unknown keys are ignored, as the specification asks. Parsing names the field that is wrong
//! (`linux.namespaces[2].type: unknown variant …`); [`Spec::validate`] then checks what the shape of the document cannot say.

mod linux;
mod mount;
mod process;
mod validate;

use std::{collections::BTreeMap, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};

pub use linux::{
    Device, DeviceType, IntelRdt, Linux, MemoryPolicy, Namespace, NamespaceType, NetDevice,
    Personality, PersonalityDomain, RootfsPropagation, TimeOffset, TimeOffsets,
};
pub use mount::{IdMapping, Mount, Root};
pub use process::{
    Capabilities, ConsoleSize, CpuAffinity, IoClass, IoPriority, Process, Rlimit, RlimitType,
    Scheduler, SchedulerFlag, SchedulerPolicy, User,
};

pub(crate) use validate::sysctl_path;

/// The newest version of the runtime specification that is understood.
pub const OCI_VERSION: &str = "1.2.1";

/// A container's configuration: the document `config.json` of a bundle.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Version of the specification that the document follows.
    pub oci_version: String,
    /// The root file system; absent only where the caller names layers instead.
    pub root: Option<Root>,
    /// Host name inside the container; needs a UTS namespace.
    pub hostname: Option<String>,
    /// NIS domain name inside the container; needs a UTS namespace.
    pub domainname: Option<String>,
    /// File systems to mount, in order.
    #[serde(default)]
    pub mounts: Vec<Mount>,
    /// The container's first process; needed by `start`, not by `create`.
    pub process: Option<Process>,
    /// Programs to run at the points of the container's life.
    #[serde(default)]
    pub hooks: Hooks,
    /// Free labels, handed on in the container's state.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Everything that only Linux has.
    #[serde(default)]
    pub linux: Linux,
}

/// The hooks of a container, one list per moment, each run in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hooks {
    /// Deprecated by the specification: as `create_runtime`, called just before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prestart: Vec<Hook>,
    /// In the runtime's namespaces, after the container's were made, before `pivot_root`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create_runtime: Vec<Hook>,
    /// In the container's namespaces, before `pivot_root`; the path is the host's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub create_container: Vec<Hook>,
    /// In the container, just before its program; the path is the container's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub start_container: Vec<Hook>,
    /// In the runtime's namespaces, after the program has started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub poststart: Vec<Hook>,
    /// In the runtime's namespaces, after the container was deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub poststop: Vec<Hook>,
}

/// One program run as a hook, with the container's state on its standard input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Hook {
    /// Absolute path of the program.
    pub path: PathBuf,
    /// Its `argv`, the name included; empty means the path alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Its whole environment, `NAME=value`; empty means that of the place it runs in, the runtime's or the program's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Seconds after which it is killed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
}

/// A `config.json` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not JSON, or a field of the wrong type.
    #[error("config.json: {0}")]
    Parse(#[from] serde_path_to_error::Error<serde_json::Error>),
    /// Well-formed, but it asks for something impossible or contradictory.
    #[error("config.json: {field}: {reason}")]
    Invalid {
        /// Path of the field, such as `linux.namespaces[2].type`.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Spec {
    /// Reads and parses the document at `path` (usually `<bundle>/config.json`); it is not validated yet.
    ///
    /// # Errors
    /// [`SpecError::Read`] and [`SpecError::Parse`].
    pub fn load(path: &Path) -> Result<Self, SpecError> {
        let text = std::fs::read(path).map_err(|source| SpecError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Parses a document; it is not validated yet.
    ///
    /// # Errors
    /// [`SpecError::Parse`], with the path of the field.
    pub fn parse(json: &[u8]) -> Result<Self, SpecError> {
        parse_json(json).map_err(SpecError::Parse)
    }
}

impl Process {
    /// Parses a `process` document of its own, as `exec --process` takes it.
    ///
    /// # Errors
    /// [`SpecError::Parse`], with the path of the field.
    pub fn parse(json: &[u8]) -> Result<Self, SpecError> {
        parse_json(json).map_err(SpecError::Parse)
    }
}

fn parse_json<'a, T: Deserialize<'a>>(
    json: &'a [u8],
) -> Result<T, serde_path_to_error::Error<serde_json::Error>> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(json))
}

#[cfg(test)]
mod tests;
