//! `pyctr._core`: starting supervisors.

use std::{
    ffi::{CString, NulError},
    io,
    os::{
        fd::{AsFd, OwnedFd, RawFd},
        unix::fs::MetadataExt,
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use pyo3::{
    exceptions::{PyOSError, PyValueError},
    prelude::*,
};

/// Start `binary` with `args` as a process of its own session that is nobody's child.
///
/// `fds` are (descriptor here, number there); 0, 1 and 2 are /dev/null unless named, everything else is closed. The
/// environment is empty. Returns when the program runs; OSError if it cannot be started.
#[pyfunction]
pub fn spawn_shim(
    py: Python<'_>,
    binary: PathBuf,
    args: Vec<String>,
    fds: Vec<(RawFd, RawFd)>,
) -> PyResult<()> {
    let argv =
        arguments(&binary, args).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let spawned = py.detach(|| {
        let program = program(&binary)?;
        pyctr_sys::spawn::detached(program.as_fd(), &argv, &[], &fds)
    });
    spawned.map_err(|error| os_error(py, &error, &binary))
}

/// OSError, or its subclass for the errno, with the fields that Python's own have: errno, strerror, filename.
pub(crate) fn os_error(py: Python<'_>, error: &io::Error, path: &Path) -> PyErr {
    let errno = error.raw_os_error().unwrap_or_default();
    let text = py
        .import("os")
        .and_then(|os| os.call_method1("strerror", (errno,)));
    match text.and_then(|text| text.extract::<String>()) {
        Ok(text) => PyOSError::new_err((errno, text, path.as_os_str().to_owned())),
        Err(error) => error,
    }
}

fn arguments(binary: &Path, args: Vec<String>) -> Result<Vec<CString>, NulError> {
    let name = binary.as_os_str().as_encoded_bytes().to_vec();
    let args = args.into_iter().map(String::into_bytes);
    [name].into_iter().chain(args).map(CString::new).collect()
}

/// The program that was started last, ready to be started again.
struct Known {
    path: PathBuf,
    identity: Identity,
    fd: Arc<OwnedFd>,
}

/// Tells one version of a file from another: device, inode, size, change time.
type Identity = (u64, u64, u64, i64, i64);

static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

/// A protected descriptor of the program, made once per version of the file.
fn program(path: &Path) -> io::Result<Arc<OwnedFd>> {
    let identity = identity(path)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = known
        .as_ref()
        .filter(|known| known.path == path && known.identity == identity)
    {
        return Ok(Arc::clone(&known.fd));
    }
    let fd = Arc::new(pyctr_sys::exe::protected(path)?);
    *known = Some(Known {
        path: path.to_owned(),
        identity,
        fd: Arc::clone(&fd),
    });
    Ok(fd)
}

fn identity(path: &Path) -> io::Result<Identity> {
    let file = path.metadata()?;
    Ok((
        file.dev(),
        file.ino(),
        file.size(),
        file.ctime(),
        file.ctime_nsec(),
    ))
}
