//! `delete`: takes a container apart. Never stops half way, and may be done twice.

use std::{fs, path::Path};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, Signal, WaitOptions, pidfd_send_signal, waitpid},
};

use crate::{
    container::Container,
    error::{Error, Result},
    hooks,
    state::{FILE, GATE, Status},
};

/// How long a killed process may take to be gone.
const PATIENCE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

impl Container {
    /// Removes what is left of the container, and runs its poststop hooks. With `force` its processes are killed first. Gives what
    /// failed without stopping it.
    ///
    /// # Errors
    /// It is running, and `force` is not given; or something could not be removed, after everything else was.
    pub fn delete(&self, force: bool) -> Result<Vec<String>> {
        let status = self.status();
        match status {
            Status::Stopped => {}
            // Its program never ran, so nobody misses it.
            Status::Created => {}
            _ if force => {}
            _ => return Err(self.refuse("delete", "it is running: stop it first, or force it")),
        }
        let mut errors = Vec::new();
        self.end_processes(&mut errors);
        errors.extend(self.remove_cgroup().err());
        let state = self.record.oci(Status::Stopped).to_json();
        let warnings = hooks::run_all("poststop", &self.record.poststop, &state)
            .iter()
            .map(ToString::to_string)
            .collect();
        if !errors.is_empty() {
            // The record stays, so that it can be tried again.
            let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
            return Err(Error::setup(
                format!("cannot delete container {}", self.id()),
                texts.join("; "),
            ));
        }
        remove_files(&self.directory, &self.record.bundle);
        Ok(warnings)
    }

    fn end_processes(&self, errors: &mut Vec<Error>) {
        match self.cgroup() {
            Ok(Some(cgroup)) => errors.extend(cgroup.kill().err().map(Error::from)),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
        let Some(pidfd) = self.record.init.open() else {
            return;
        };
        let _ = pidfd_send_signal(&pidfd, Signal::KILL);
        while poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&PATIENCE)) == Err(Errno::INTR) {
        }
        // If it is our own child, nobody else buries it.
        if let Some(pid) = Pid::from_raw(self.record.init.pid) {
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }

    fn remove_cgroup(&self) -> Result<()> {
        match self.cgroup()? {
            Some(cgroup) => Ok(cgroup.remove()?),
            None => Ok(()),
        }
    }
}

/// Removes our files, and the directory if nothing else is in it.
pub(crate) fn remove_files(directory: &Path, bundle: &Path) {
    let copy = (directory != bundle).then_some("config.json");
    for name in [GATE, "state.json.new"]
        .into_iter()
        .chain(copy)
        .chain([FILE])
    {
        // What is not there is removed.
        let _ = fs::remove_file(directory.join(name));
    }
    if directory != bundle {
        let _ = fs::remove_dir(directory);
    }
}
