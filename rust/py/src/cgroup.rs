//! `pyctr._core`: the control groups of containers. A path is the document's `linux.cgroupsPath`.

use pyctr_cgroup::{Cgroup, Error, Info, Resources, Version};
use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
};
use rustix::io::Errno;

/// OSError (errno, message) when the system refused or lacks something; ValueError for a request that is wrong in itself.
fn raise(error: Error) -> PyErr {
    let errno = match &error {
        _ if error.is_invalid() => return PyValueError::new_err(error.to_string()),
        _ if error.is_not_found() => Errno::NOENT,
        Error::NotWritable { .. } => Errno::ACCESS,
        Error::NoHierarchy | Error::Unavailable { .. } => Errno::OPNOTSUPP,
        Error::FreezeTimeout { .. } => Errno::TIMEDOUT,
        Error::Populated { .. } => Errno::BUSY,
        _ => error
            .source_io()
            .and_then(Errno::from_io_error)
            .unwrap_or(Errno::IO),
    };
    PyOSError::new_err((errno.raw_os_error(), error.to_string()))
}

/// Opens a group and does something with it, without the interpreter's lock.
fn with<T: Send>(
    py: Python<'_>,
    path: &str,
    work: impl FnOnce(&Cgroup) -> pyctr_cgroup::Result<T> + Send,
) -> PyResult<T> {
    py.detach(|| Cgroup::open_document(path).and_then(|group| work(&group)))
        .map_err(raise)
}

/// The same for something that is done already when the group is gone.
fn with_any(
    py: Python<'_>,
    path: &str,
    work: impl FnOnce(&Cgroup) -> pyctr_cgroup::Result<()> + Send,
) -> PyResult<()> {
    let done = py.detach(|| match Cgroup::open_document(path) {
        Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(group) => work(&group),
    });
    done.map_err(raise)
}

/// What this machine can limit, as JSON: version (1 or 2), layout (v1, hybrid or v2), driver, controllers (sorted names),
/// swap (whether it can be limited).
#[pyfunction]
pub fn cgroup_info(py: Python<'_>) -> PyResult<Vec<u8>> {
    let info = py.detach(Info::read).map_err(raise)?;
    let document = serde_json::json!({
        "version": if info.version == Version::V2 { 2 } else { 1 },
        "layout": info.version.as_str(),
        "driver": "cgroupfs",
        "controllers": info.controllers,
        "swap": info.swap,
    });
    Ok(document.to_string().into_bytes())
}

/// What a group has used, as JSON in the shape of the data of `runc events --stats`.
#[pyfunction]
pub fn cgroup_stats(py: Python<'_>, path: &str) -> PyResult<Vec<u8>> {
    let stats = with(py, path, Cgroup::stats)?;
    serde_json::to_vec(&stats).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Change the limits that `resources` names, JSON as `linux.resources` of config.json; the others stay.
#[pyfunction]
pub fn cgroup_update(py: Python<'_>, path: &str, resources: &[u8]) -> PyResult<()> {
    let resources: Resources = serde_json::from_slice(resources)
        .map_err(|error| PyValueError::new_err(format!("cannot read the resources: {error}")))?;
    with(py, path, |group| group.update(&resources))
}

/// Freeze the group and wait until all its processes stand still; TimeoutError after ten seconds, with all running on.
#[pyfunction]
pub fn cgroup_freeze(py: Python<'_>, path: &str) -> PyResult<()> {
    with(py, path, Cgroup::freeze)
}

/// Let a frozen group run.
#[pyfunction]
pub fn cgroup_thaw(py: Python<'_>, path: &str) -> PyResult<()> {
    with(py, path, Cgroup::thaw)
}

/// Whether the group is frozen.
#[pyfunction]
pub fn cgroup_frozen(py: Python<'_>, path: &str) -> PyResult<bool> {
    with(py, path, Cgroup::frozen)
}

/// SIGKILL for every process of the group and the groups below it, frozen or not. Harmless when the group is gone.
#[pyfunction]
pub fn cgroup_kill(py: Python<'_>, path: &str) -> PyResult<()> {
    with_any(py, path, Cgroup::kill)
}

/// Kill whatever is left in the group and remove it. Harmless when it is gone.
#[pyfunction]
pub fn cgroup_remove(py: Python<'_>, path: &str) -> PyResult<()> {
    with_any(py, path, Cgroup::destroy)
}

/// Every process of the group and the groups below it, in ascending order.
#[pyfunction]
pub fn cgroup_pids(py: Python<'_>, path: &str) -> PyResult<Vec<i32>> {
    let pids = with(py, path, Cgroup::pids)?;
    Ok(pids.into_iter().map(|pid| pid.as_raw_pid()).collect())
}

/// How many processes of the group the kernel has killed for want of memory.
#[pyfunction]
pub fn cgroup_oom_kills(py: Python<'_>, path: &str) -> PyResult<u64> {
    with(py, path, Cgroup::oom_kills)
}
