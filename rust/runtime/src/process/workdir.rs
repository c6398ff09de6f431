//! The working directory of a process.

use std::{io, os::unix::ffi::OsStrExt, path::Path};

use pyctr_sys::root::{Links, Root};
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    process::{fchdir, getcwd},
};

use crate::error::{Cause, Context, Error, Kind, Result};

/// Makes the directory where it is missing, as docker does for an image's working directory.
pub(crate) fn create(root: &Root, path: &str) -> Result<()> {
    root.mkdir_all(Path::new(path), Mode::from_raw_mode(0o755), Links::Follow)
        .map(drop)
        .context(|| format!("cannot make the working directory {path:?}"))
}

/// Changes to the directory. Gives false if the caller, with the rights it has now, may not.
pub(crate) fn enter(root: &Root, path: &str) -> Result<bool> {
    // Magic links are refused: a path such as /proc/self/fd/7 could lead to a directory of the host (CVE-2024-21626).
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    match root
        .open(Path::new(path), flags, Mode::empty())
        .and_then(|dir| Ok(fchdir(&dir)?))
    {
        Ok(()) => verify(path).map(|()| true),
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::ACCESS | Errno::PERM)
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(failed(path, &error)),
    }
}

/// The error for a directory that the user may not enter either.
pub(crate) fn denied(path: &str) -> Error {
    failed(path, &Errno::ACCESS.into())
}

fn failed(path: &str, error: &io::Error) -> Error {
    let kind = if error.kind() == io::ErrorKind::NotFound {
        Kind::CommandNotFound
    } else {
        Kind::NotExecutable
    };
    Error::new(
        kind,
        format!("chdir to cwd ({path:?}) failed: {}", error.describe()),
    )
}

/// The kernel must know a way from the root to where we are.
fn verify(path: &str) -> Result<()> {
    let what = || format!("cannot change to the working directory {path:?}");
    let real = getcwd(Vec::new()).context(what)?;
    if real.as_bytes().first() == Some(&b'/')
        && Path::new(std::ffi::OsStr::from_bytes(real.as_bytes())).is_absolute()
    {
        return Ok(());
    }
    Err(Error::setup(what(), "it lies outside of the container"))
}
