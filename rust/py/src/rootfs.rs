//! `pyctr._core`: root file systems seen from outside of containers.

use std::{
    ffi::OsStr,
    io,
    os::{
        fd::{IntoRawFd, RawFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
};

use pyctr_runtime::Overlay;
use pyctr_sys::root::Root;
use pyo3::{exceptions::PyOSError, prelude::*};
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use crate::spawn::os_error;

/// See directories as one, in a mount that nobody else sees and that goes with the last descriptor of it.
///
/// `lower` are read-only, the topmost first. Without `upper` and `work` the whole is read-only. OSError (errno, message).
#[pyfunction]
#[pyo3(signature = (lower, upper=None, work=None))]
pub fn overlay_open(
    py: Python<'_>,
    lower: Vec<PathBuf>,
    upper: Option<PathBuf>,
    work: Option<PathBuf>,
) -> PyResult<RawFd> {
    let overlay = Overlay { lower, upper, work };
    match py.detach(|| overlay.open(None)) {
        Ok(fd) => Ok(fd.into_raw_fd()),
        Err(error) => Err(PyOSError::new_err((
            Errno::INVAL.raw_os_error(),
            error.to_string(),
        ))),
    }
}

/// Open `path` as if the directory `root` were `/`: no link in it leads outside, and magic links are refused.
///
/// `flags` as for open(2), without O_CREAT; O_CLOEXEC is added. The caller closes the descriptor.
#[pyfunction]
pub fn open_in_root(py: Python<'_>, root: RawFd, path: &[u8], flags: i32) -> PyResult<RawFd> {
    let path = Path::new(OsStr::from_bytes(path));
    let flags = OFlags::from_bits_retain(flags as u32);
    let open = || -> io::Result<RawFd> {
        let root = Root::new(pyctr_sys::fd::duplicate(root)?);
        Ok(root.open(path, flags, Mode::empty())?.into_raw_fd())
    };
    py.detach(open).map_err(|error| os_error(py, &error, path))
}
