//! `delete`: takes a container apart. Never stops half way, and may be done twice.

use std::{fs, path::Path};

use pyctr_cgroup::remove_empty;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Signal, pidfd_send_signal},
};

use crate::{
    container::Container,
    error::{Error, Result},
    hooks,
    state::{FILE, GATE, STAGED, Status},
};

/// How long a killed process may take to be gone.
const PATIENCE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

impl Container {
    /// Removes what is left of the container, and runs its poststop hooks. With `force` its processes are killed first. Gives what
    /// failed without stopping it. A caller whose child the first process is has to wait for it, before or afterwards.
    ///
    /// # Errors
    /// It is running, and `force` is not given; or something could not be removed, after everything else was.
    pub fn delete(&self, force: bool) -> Result<Vec<String>> {
        let status = self.status();
        match status {
            // The program of a created one never ran, so nobody misses it.
            Status::Stopped | Status::Created => {}
            _ if force => {}
            _ => return Err(self.refuse("delete", "it is running: stop it first, or force it")),
        }
        let mut errors = Vec::new();
        self.end_processes(&mut errors);
        errors.extend(self.remove_cgroup().err());
        if !errors.is_empty() {
            // The record stays, so that it can be tried again.
            let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
            return Err(Error::setup(
                format!("cannot delete container {}", self.id()),
                texts.join("; "),
            ));
        }
        // Somebody has deleted it before us, and run the hooks.
        if !self.directory.join(FILE).exists() {
            return Ok(Vec::new());
        }
        remove_files(&self.directory, &self.record.bundle);
        let state = self.record.oci(Status::Stopped).to_json();
        let failed = hooks::run_all("poststop", &self.record.poststop, &state);
        Ok(failed.iter().map(ToString::to_string).collect())
    }

    /// Whoever outlives the first process is found when the cgroup cannot be removed.
    fn end_processes(&self, errors: &mut Vec<Error>) {
        let Some(pidfd) = self.record.init.open() else {
            return;
        };
        match self.cgroup() {
            Ok(Some(cgroup)) => errors.extend(cgroup.kill().err().map(Error::from)),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
        let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        while poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&PATIENCE)) == Err(Errno::INTR) {
        }
    }

    fn remove_cgroup(&self) -> Result<()> {
        if remove_empty(self.record.cgroup_paths.values()) {
            return Ok(());
        }
        match self.cgroup()? {
            Some(cgroup) => Ok(cgroup.destroy()?),
            None => Ok(()),
        }
    }
}

/// Removes our files, and the directory if nothing else is in it.
pub(crate) fn remove_files(directory: &Path, bundle: &Path) {
    let copy = (directory != bundle).then_some("config.json");
    for name in [GATE, STAGED].into_iter().chain(copy).chain([FILE]) {
        // What is not there is removed.
        let _ = fs::remove_file(directory.join(name));
    }
    if directory != bundle {
        let _ = fs::remove_dir(directory);
    }
}
