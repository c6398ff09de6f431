//! `pyctr._core`: asking whether supervisors live.
//!
//! A supervisor holds an exclusive flock on a file with its pid in it. To ask is to try for a shared lock for some
//! microseconds. Those who ask do not disturb each other; a supervisor that starts at that very moment tries again.

use std::{
    fs::File,
    io::{self, Read},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use pyo3::prelude::*;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FlockOperation, OFlags, flock},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::spawn::os_error;

/// How often a waiter looks again, in case the lock is given up before the process ends, and for Ctrl-C.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// For each of these lock files whether its supervisor lives. A missing file has none.
#[pyfunction]
pub fn locks_held(py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<Vec<bool>> {
    let looks: Vec<_> = py.detach(|| paths.iter().map(|path| look(path)).collect());
    let answers = looks.into_iter().zip(&paths);
    answers
        .map(|(held, path)| held.map_err(|error| os_error(py, &error, path)))
        .collect()
}

fn look(path: &Path) -> io::Result<bool> {
    open(path)?.map_or(Ok(false), |file| is_held(&file))
}

/// Wait until the supervisor that holds this lock file has ended; false if it lives on after `timeout` seconds.
#[pyfunction]
#[pyo3(signature = (path, timeout=None))]
pub fn wait_lock(py: Python<'_>, path: PathBuf, timeout: Option<f64>) -> PyResult<bool> {
    let seconds = timeout
        .map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX));
    let deadline = seconds.and_then(|seconds| Instant::now().checked_add(seconds));
    let mut holder = None;
    loop {
        let left = deadline.map_or(LOOK_AGAIN, |deadline| {
            deadline.saturating_duration_since(Instant::now())
        });
        let ended = py.detach(|| ends_within(&path, &mut holder, left.min(LOOK_AGAIN)));
        if ended.map_err(|error| os_error(py, &error, &path))? {
            return Ok(true);
        }
        if left.is_zero() {
            return Ok(false);
        }
        py.check_signals()?;
    }
}

/// Whether the lock is free, else wait a while for its holder. The kernel drops the lock before the process counts as ended.
fn ends_within(path: &Path, holder: &mut Option<OwnedFd>, time: Duration) -> io::Result<bool> {
    let Some(file) = open(path)? else {
        return Ok(true);
    };
    if holder.is_none() {
        *holder = find_holder(&file);
    }
    if !is_held(&file)? {
        return Ok(true);
    }
    match holder {
        // Looked for before the lock was seen held, so this is its holder or one that ended long ago.
        Some(process) if !await_end(process, time)? => {}
        Some(_) => *holder = None,
        None => sleep(time.min(Duration::from_millis(1))),
    }
    Ok(!is_held(&file)?)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW.bits() as i32;
    match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn is_held(file: &File) -> io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(flock(file, FlockOperation::Unlock).map(|()| false)?),
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The process that wrote its pid into the lock file, if there is one.
fn find_holder(mut file: &File) -> Option<OwnedFd> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    pidfd_open(
        Pid::from_raw(text.trim().parse().ok()?)?,
        PidfdFlags::empty(),
    )
    .ok()
}

fn await_end(process: &OwnedFd, time: Duration) -> io::Result<bool> {
    let time = Timespec {
        tv_sec: time.as_secs() as i64,
        tv_nsec: time.subsec_nanos().into(),
    };
    match poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&time)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
