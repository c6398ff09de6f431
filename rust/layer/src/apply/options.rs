//! What applying an archive may be asked for, and what it reports.

use std::os::fd::OwnedFd;

use crate::{Error, Result, stream::StreamInfo};

/// What an entry named `.wh.<name>` means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Whiteouts {
    /// Write overlayfs's form: a device 0:0, and `trusted.overlay.opaque` on directories.
    #[default]
    Overlay,
    /// The same with `user.overlay.opaque`, for overlays that were mounted in a user namespace with `userxattr`.
    OverlayUser,
    /// Remove what the name stands for from the tree: the layer is applied on a copy of those below it.
    Remove,
    /// Nothing special: make a file of that name.
    Keep,
}

impl Whiteouts {
    /// The attribute that makes a directory hide those below it; None where whiteouts are not overlayfs's.
    pub(super) fn opaque(self) -> Option<&'static str> {
        match self {
            Self::Overlay => Some("trusted.overlay.opaque"),
            Self::OverlayUser => Some("user.overlay.opaque"),
            Self::Remove | Self::Keep => None,
        }
    }
}

/// A range of user or group numbers in a container and on the host, as in `/proc/self/uid_map`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange {
    /// The first in the archive.
    pub inside: u32,
    /// The first on disk.
    pub outside: u32,
    /// How many.
    pub count: u32,
}

/// Who owns what is made.
#[derive(Debug, Clone, Default)]
pub enum Owners {
    /// Who the archive says.
    #[default]
    Archive,
    /// Everything belongs to this user and group.
    Fixed(u32, u32),
    /// Who the archive says, by these maps (users, groups); a number outside them is refused.
    Mapped(Vec<IdRange>, Vec<IdRange>),
}

impl Owners {
    pub(super) fn of(&self, uid: u32, gid: u32) -> Result<(u32, u32)> {
        match self {
            Self::Archive => Ok((uid, gid)),
            Self::Fixed(uid, gid) => Ok((*uid, *gid)),
            Self::Mapped(users, groups) => {
                Ok((mapped(users, uid, "user")?, mapped(groups, gid, "group")?))
            }
        }
    }
}

fn mapped(ranges: &[IdRange], id: u32, what: &str) -> Result<u32> {
    let inside = |range: &&IdRange| id >= range.inside && id - range.inside < range.count;
    let range = ranges.iter().find(inside);
    range
        .and_then(|range| range.outside.checked_add(id - range.inside))
        .ok_or_else(|| {
            Error::Refused(format!(
                "the archive has the {what} {id}, which is not in the id map"
            ))
        })
}

/// How far an archive may go.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries of any kind.
    pub entries: u64,
    /// Bytes of file data.
    pub bytes: u64,
}

impl Default for Limits {
    /// Five million entries; as many bytes as the disk takes.
    fn default() -> Self {
        Self {
            entries: 5_000_000,
            bytes: u64::MAX,
        }
    }
}

/// How to apply an archive.
#[derive(Debug, Default)]
pub struct ApplyOptions {
    /// The directory below the root where the archive goes, a path as the container sees it; it must exist. Symbolic
    /// links are resolved against the root, as if the archive were unpacked inside the container.
    pub base: Vec<u8>,
    /// What `.wh.` names mean.
    pub whiteouts: Whiteouts,
    /// Who owns what is made.
    pub owners: Owners,
    /// How far it may go.
    pub limits: Limits,
    /// Refuse to replace a directory by something else, or something else by a directory (`docker cp`).
    pub keep_kinds: bool,
    /// Pass over devices, where making them is not permitted.
    pub skip_devices: bool,
    /// The layers below, top first: a directory that the archive does not name but needs gets its attributes there.
    pub lower: Vec<OwnedFd>,
}

/// What was applied.
#[derive(Debug, Clone, Copy)]
pub struct Applied {
    /// Digests and sizes of the archive.
    pub stream: StreamInfo,
    /// Entries that were applied.
    pub entries: u64,
    /// Bytes of all files: what docker calls the size of a layer.
    pub content: u64,
    /// Extended attributes that the file system does not have or this user may not set.
    pub skipped_xattrs: u64,
    /// Whether the archive ended with its mark; one without may have been cut between two entries.
    pub complete: bool,
}
