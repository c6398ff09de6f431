//! `root` and `mounts` of `config.json`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The container's root file system.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Root {
    /// Directory, absolute or relative to the bundle.
    pub path: PathBuf,
    /// Mount it read-only.
    #[serde(default)]
    pub readonly: bool,
}

/// One file system to mount inside the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// Where, inside the container; a relative path counts from `/`.
    pub destination: PathBuf,
    /// File system type; absent or `none` or `bind` with a `bind` option for a bind mount.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Device, or for a bind mount the file on the host, absolute or relative to the bundle.
    pub source: Option<PathBuf>,
    /// Options as `mount(8)` spells them, and the specification's own (`rro`, `idmap`, `tmpcopyup` …).
    #[serde(default)]
    pub options: Vec<String>,
    /// User ids of an id-mapped mount.
    #[serde(default)]
    pub uid_mappings: Vec<IdMapping>,
    /// Group ids of an id-mapped mount.
    #[serde(default)]
    pub gid_mappings: Vec<IdMapping>,
}

/// A range of user or group ids and where it lies on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub struct IdMapping {
    /// First id inside.
    #[serde(rename = "containerID")]
    pub container_id: u32,
    /// First id outside.
    #[serde(rename = "hostID")]
    pub host_id: u32,
    /// How many ids.
    pub size: u32,
}
