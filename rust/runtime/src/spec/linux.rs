//! `linux` of `config.json`.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::IdMapping;

/// Everything that only Linux has.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Linux {
    /// Namespaces to make or join; what is not listed is the runtime's own.
    pub namespaces: Vec<Namespace>,
    /// User ids of the container's user namespace.
    pub uid_mappings: Vec<IdMapping>,
    /// Group ids of the container's user namespace.
    pub gid_mappings: Vec<IdMapping>,
    /// Offsets of the clocks in a new time namespace.
    pub time_offsets: Option<TimeOffsets>,
    /// Device nodes to make besides the ones the specification always asks for.
    pub devices: Vec<Device>,
    /// Network devices of the host to move into the container, by their name there.
    pub net_devices: BTreeMap<String, NetDevice>,
    /// Where the cgroup lies; a path, or `slice:prefix:name` for systemd.
    pub cgroups_path: Option<String>,
    /// Limits, see the cgroup crate.
    pub resources: Option<pyctr_cgroup::Resources>,
    /// Cache allocation.
    pub intel_rdt: Option<IntelRdt>,
    /// NUMA memory policy.
    pub memory_policy: Option<MemoryPolicy>,
    /// System call filter.
    pub seccomp: Option<pyctr_seccomp::Profile>,
    /// Kernel parameters, in dotted or slashed spelling.
    pub sysctl: BTreeMap<String, String>,
    /// Propagation of the root mount.
    pub rootfs_propagation: Option<RootfsPropagation>,
    /// Paths that cannot be read inside.
    pub masked_paths: Vec<PathBuf>,
    /// Paths that cannot be written inside.
    pub readonly_paths: Vec<PathBuf>,
    /// SELinux context of the container's mounts.
    pub mount_label: Option<String>,
    /// Execution domain, see `personality(2)`.
    pub personality: Option<Personality>,
}

impl Linux {
    /// The entry for a kind of namespace, if the document has one.
    #[must_use]
    pub fn namespace(&self, kind: NamespaceType) -> Option<&Namespace> {
        self.namespaces
            .iter()
            .find(|namespace| namespace.kind == kind)
    }

    /// Whether the container gets a namespace of this kind that is newly made.
    #[must_use]
    pub fn has_new(&self, kind: NamespaceType) -> bool {
        self.namespace(kind)
            .is_some_and(|namespace| namespace.path.is_none())
    }
}

/// One namespace of the container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Namespace {
    /// Which kind.
    #[serde(rename = "type")]
    pub kind: NamespaceType,
    /// Join this one instead of making a new one.
    #[serde(
        default,
        deserialize_with = "empty_is_none",
        skip_serializing_if = "Option::is_none"
    )]
    pub path: Option<PathBuf>,
}

/// Other runtimes read an empty path as an absent one, and some engines write it.
fn empty_is_none<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    let path = Option::<PathBuf>::deserialize(deserializer)?;
    Ok(path.filter(|path| !path.as_os_str().is_empty()))
}

/// The kinds of namespaces, see `namespaces(7)`.
#[allow(missing_docs, reason = "the names are those of namespaces(7)")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceType {
    User,
    Cgroup,
    Ipc,
    Uts,
    Network,
    Pid,
    Time,
    Mount,
}

/// Offsets of the clocks of a time namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TimeOffsets {
    /// `CLOCK_MONOTONIC`.
    pub monotonic: Option<TimeOffset>,
    /// `CLOCK_BOOTTIME`.
    pub boottime: Option<TimeOffset>,
}

/// What is added to a clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TimeOffset {
    /// Seconds.
    pub secs: i64,
    /// Nanoseconds.
    pub nanosecs: u32,
}

/// A device node inside the container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Kind of node.
    #[serde(rename = "type")]
    pub kind: DeviceType,
    /// Absolute path inside the container.
    pub path: PathBuf,
    /// Major number.
    #[serde(default)]
    pub major: i64,
    /// Minor number.
    #[serde(default)]
    pub minor: i64,
    /// Permission bits; 0666 if absent.
    pub file_mode: Option<u32>,
    /// Owner inside the container.
    #[serde(default)]
    pub uid: u32,
    /// Group inside the container.
    #[serde(default)]
    pub gid: u32,
}

/// Kinds of device nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DeviceType {
    /// A character device.
    #[serde(rename = "c")]
    Char,
    /// A character device without buffering; the same as [`DeviceType::Char`] on Linux.
    #[serde(rename = "u")]
    Unbuffered,
    /// A block device.
    #[serde(rename = "b")]
    Block,
    /// A named pipe.
    #[serde(rename = "p")]
    Fifo,
}

/// A network device moved into the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NetDevice {
    /// Its name inside; unchanged if absent.
    pub name: Option<String>,
}

/// Cache and memory bandwidth allocation through resctrl.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IntelRdt {
    /// Class of service, a directory of resctrl.
    #[serde(rename = "closID")]
    pub clos_id: Option<String>,
    /// Lines of the schemata file.
    pub schemata: Vec<String>,
    /// Its `L3` line.
    pub l3_cache_schema: Option<String>,
    /// Its `MB` line.
    pub mem_bw_schema: Option<String>,
    /// Make a monitoring group.
    pub enable_monitoring: bool,
}

/// NUMA memory policy, see `set_mempolicy(2)`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct MemoryPolicy {
    /// `MPOL_BIND` and its like.
    pub mode: String,
    /// Nodes as a list such as `0-1,3`.
    pub nodes: String,
    /// `MPOL_F_STATIC_NODES` and its like.
    pub flags: Vec<String>,
}

/// Propagation of the root mount to and from its peers, see `mount_namespaces(7)`.
#[allow(missing_docs, reason = "the names are those of mount_namespaces(7)")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RootfsPropagation {
    Private,
    Rprivate,
    Shared,
    Rshared,
    Slave,
    Rslave,
    Unbindable,
    Runbindable,
}

/// Execution domain of the process.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Personality {
    /// The domain.
    pub domain: PersonalityDomain,
    /// None is defined yet.
    #[serde(default)]
    pub flags: Vec<String>,
}

/// Execution domains of `personality(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PersonalityDomain {
    /// The machine's own word size.
    Linux,
    /// A 32-bit machine in `uname`.
    Linux32,
}
