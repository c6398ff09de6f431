//! `pyctr._core`: archives and trees. Descriptors are borrowed for the length of a call.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd, RawFd},
    path::PathBuf,
};

use pyctr_layer::{
    ApplyOptions, Change, ChangeKind, Error, IdRange, Limits, Owners, PackOptions, Whiteouts,
    stream::Hasher,
};
use pyo3::{
    exceptions::{PyInterruptedError, PyOSError, PyValueError},
    prelude::*,
    types::{PyBytes, PyDict},
};

use crate::interrupt::interruptible;

/// OSError (errno, message) when the system refused; ValueError when the archive is damaged or refused.
fn raise(error: Error) -> PyErr {
    match (error.errno(), &error) {
        (Some(errno), _) => PyOSError::new_err((errno, error.to_string())),
        (None, Error::Io { .. }) => PyOSError::new_err(error.to_string()),
        (None, Error::Cancelled) => PyInterruptedError::new_err(error.to_string()),
        _ => PyValueError::new_err(error.to_string()),
    }
}

fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    pyctr_sys::fd::duplicate(fd)
}

/// Apply the archive read from `fd` to the directory `root`.
///
/// `base` is a path inside root where it goes. `whiteouts` is one of overlay, overlay-user, remove, keep. `owner` gives
/// everything to one user and group; `uid_map` and `gid_map` are triples inside, outside, count. `lower` are the
/// directories of the layers below, top first.
///
/// Gives diff_id, digest (`sha256:…`), size and compressed_size (bytes of the stream), compression, entries, content
/// (bytes of all files), skipped_xattrs, and complete (the archive ended with its mark).
#[pyfunction]
#[pyo3(signature = (fd, root, *, base=b"".as_slice(), whiteouts="overlay", owner=None, uid_map=None, gid_map=None,
    max_entries=None, max_bytes=None, keep_kinds=false, skip_devices=false, lower=Vec::new()))]
#[allow(clippy::too_many_arguments)]
pub fn layer_apply<'py>(
    py: Python<'py>,
    fd: RawFd,
    root: RawFd,
    base: &[u8],
    whiteouts: &str,
    owner: Option<(u32, u32)>,
    uid_map: Option<Vec<(u32, u32, u32)>>,
    gid_map: Option<Vec<(u32, u32, u32)>>,
    max_entries: Option<u64>,
    max_bytes: Option<u64>,
    keep_kinds: bool,
    skip_devices: bool,
    lower: Vec<RawFd>,
) -> PyResult<Bound<'py, PyDict>> {
    let unlimited = Limits::default();
    let options = ApplyOptions {
        base: base.to_vec(),
        whiteouts: whiteouts_of(whiteouts)?,
        owners: match (owner, uid_map, gid_map) {
            (Some((uid, gid)), _, _) => Owners::Fixed(uid, gid),
            (None, None, None) => Owners::Archive,
            (None, users, groups) => Owners::Mapped(ranges(users), ranges(groups)),
        },
        limits: Limits {
            entries: max_entries.unwrap_or(unlimited.entries),
            bytes: max_bytes.unwrap_or(unlimited.bytes),
        },
        keep_kinds,
        skip_devices,
        lower: lower
            .into_iter()
            .map(duplicate)
            .collect::<io::Result<_>>()?,
    };
    let (input, root) = (duplicate(fd)?, duplicate(root)?);
    let applied = interruptible(py, |cancel| {
        pyctr_layer::apply(input.as_fd(), root.as_fd(), &options, cancel)
    })?
    .map_err(raise)?;
    let report = PyDict::new(py);
    report.set_item("diff_id", applied.stream.diff_id.to_string())?;
    report.set_item("digest", applied.stream.digest.to_string())?;
    report.set_item("size", applied.stream.size)?;
    report.set_item("compressed_size", applied.stream.compressed_size)?;
    report.set_item("compression", applied.stream.compression.name())?;
    report.set_item("entries", applied.entries)?;
    report.set_item("content", applied.content)?;
    report.set_item("skipped_xattrs", applied.skipped_xattrs)?;
    report.set_item("complete", applied.complete)?;
    Ok(report)
}

fn whiteouts_of(name: &str) -> PyResult<Whiteouts> {
    Ok(match name {
        "overlay" => Whiteouts::Overlay,
        "overlay-user" => Whiteouts::OverlayUser,
        "remove" => Whiteouts::Remove,
        "keep" => Whiteouts::Keep,
        _ => {
            return Err(PyValueError::new_err(format!(
                "no such form of whiteouts: {name}"
            )));
        }
    })
}

fn ranges(map: Option<Vec<(u32, u32, u32)>>) -> Vec<IdRange> {
    let range = |(inside, outside, count)| IdRange {
        inside,
        outside,
        count,
    };
    map.unwrap_or_default().into_iter().map(range).collect()
}

/// Write what is at `path` in the directory `root` to `fd` as an uncompressed archive.
///
/// `name` is what the top is called in it; with an empty one it is a directory and only its contents are packed.
/// Of the directories that `hollow` names, as the archive does, the contents are left out.
/// Gives entries, size in bytes, and digest (None unless asked for).
#[pyfunction]
#[pyo3(signature = (root, path, fd, *, name=b"".as_slice(), hollow=vec![], digest=false))]
pub fn layer_pack<'py>(
    py: Python<'py>,
    root: RawFd,
    path: &[u8],
    fd: RawFd,
    name: &[u8],
    hollow: Vec<Vec<u8>>,
    digest: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let options = PackOptions {
        name: name.to_vec(),
        hollow,
        digest,
    };
    let (root, output) = (duplicate(root)?, duplicate(fd)?);
    let packed = interruptible(py, |cancel| {
        pyctr_layer::pack(root.as_fd(), path, output.as_fd(), &options, cancel)
    })?
    .map_err(raise)?;
    let report = PyDict::new(py);
    report.set_item("entries", packed.entries)?;
    report.set_item("size", packed.size)?;
    report.set_item("digest", packed.digest.map(|digest| digest.to_string()))?;
    Ok(report)
}

/// What the upper directory of an overlay changes in the directories below it, top first: a list of `(kind, path)`
/// sorted by path, the kind `A`, `C` or `D`, the path with a leading slash.
#[pyfunction]
pub fn layer_changes<'py>(
    py: Python<'py>,
    upper: RawFd,
    lower: Vec<RawFd>,
) -> PyResult<Vec<(&'static str, Bound<'py, PyBytes>)>> {
    let upper = duplicate(upper)?;
    let lower = lower
        .into_iter()
        .map(duplicate)
        .collect::<io::Result<Vec<_>>>()?;
    let compare = || {
        let lower: Vec<_> = lower.iter().map(AsFd::as_fd).collect();
        pyctr_layer::overlay_changes(upper.as_fd(), &lower)
    };
    py.detach(compare)
        .map_err(raise)
        .map(|changes| listed(py, &changes))
}

/// What makes the directory tree `new` differ from `old`, as [`layer_changes`].
#[pyfunction]
pub fn tree_changes<'py>(
    py: Python<'py>,
    new: RawFd,
    old: RawFd,
) -> PyResult<Vec<(&'static str, Bound<'py, PyBytes>)>> {
    let (new, old) = (duplicate(new)?, duplicate(old)?);
    let changes = py.detach(|| pyctr_layer::tree_changes(new.as_fd(), old.as_fd()));
    changes.map_err(raise).map(|changes| listed(py, &changes))
}

fn listed<'py>(py: Python<'py>, changes: &[Change]) -> Vec<(&'static str, Bound<'py, PyBytes>)> {
    let kind = |kind| match kind {
        ChangeKind::Added => "A",
        ChangeKind::Modified => "C",
        ChangeKind::Deleted => "D",
    };
    changes
        .iter()
        .map(|change| (kind(change.kind), PyBytes::new(py, &change.path)))
        .collect()
}

/// Copy all that is in the directory `source` into the directory `target`, attributes of the top included; hard links
/// and holes are kept, data is shared where the file system can.
#[pyfunction]
pub fn tree_copy(py: Python<'_>, source: RawFd, target: RawFd) -> PyResult<()> {
    let (source, target) = (duplicate(source)?, duplicate(target)?);
    interruptible(py, |cancel| {
        pyctr_layer::copy_tree(source.as_fd(), target.as_fd(), cancel)
    })?
    .map_err(raise)
}

/// Remove `path` and all that is in it; symbolic links in it, and itself, are not followed. Harmless when it is gone. OSError for
/// the first thing that cannot be removed, when all that can be is gone.
#[pyfunction]
pub fn tree_remove(py: Python<'_>, path: PathBuf) -> PyResult<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(PyValueError::new_err("the root cannot be removed"));
    };
    py.detach(|| match File::open(parent) {
        Ok(parent) => pyctr_layer::remove_tree(parent.as_fd(), name.as_encoded_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io(
            "open",
            parent.as_os_str().as_encoded_bytes(),
            error,
        )),
    })
    .map_err(raise)
}

/// Bytes on disk and number of files of the tree `root`; files with several names count once.
#[pyfunction]
pub fn tree_usage(py: Python<'_>, root: RawFd) -> PyResult<(u64, u64)> {
    let root = duplicate(root)?;
    let usage = py
        .detach(|| pyctr_layer::usage(root.as_fd()))
        .map_err(raise)?;
    Ok((usage.bytes, usage.files))
}

/// Have everything of the file system that `fd` lies on written to its disk.
#[pyfunction]
pub fn sync_filesystem(py: Python<'_>, fd: RawFd) -> PyResult<()> {
    let file = File::from(duplicate(fd)?);
    Ok(py
        .detach(|| rustix::fs::syncfs(&file))
        .map_err(io::Error::from)?)
}

/// The SHA-256 of `data`, 64 hexadecimal digits. hashlib says the same, after three milliseconds of import.
#[pyfunction]
pub fn sha256(data: &[u8]) -> String {
    let mut hasher = Hasher::default();
    hasher.update(data);
    hasher.finish().0.to_string().replacen("sha256:", "", 1)
}
