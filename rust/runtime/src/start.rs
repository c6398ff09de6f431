//! `start`: lets the program of a created container run.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{CWD, Mode, OFlags, openat, unlink},
    io::{Errno, write},
};

use crate::{
    container::Container,
    error::{Context, Result},
    state::{GATE, Status},
};

impl Container {
    /// Opens the gate of a container made with [`Gate::Fifo`](crate::Gate::Fifo).
    ///
    /// # Errors
    /// It is not created, or not any more; or a poststart hook failed, and the container has been deleted for it.
    pub fn start(&self) -> Result<()> {
        match self.status() {
            Status::Created => {}
            Status::Stopped => return Err(self.refuse("start", "it has stopped")),
            _ => return Err(self.refuse("start", "it is running already")),
        }
        let path = self.directory.join(GATE);
        let what = || format!("cannot start container {}", self.id());
        // Somebody has it open for reading, or it is dead: never wait.
        let gate = match openat(
            CWD,
            &path,
            OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        ) {
            Err(Errno::NXIO) => return Err(self.refuse("start", "it has stopped")),
            Err(Errno::NOENT) => return Err(self.refuse("start", "it is running already")),
            other => other.context(what)?,
        };
        // First the name goes, so that of two who start it at once only one can.
        match unlink(&path) {
            Err(Errno::NOENT) => return Err(self.refuse("start", "it is running already")),
            other => other.context(what)?,
        }
        write(gate.as_fd(), b"0").context(what)?;
        // Signals that come from now on are for the program, not for what becomes it.
        wait_for_program(&gate).context(what)?;
        self.run_poststart().inspect_err(|_| {
            // The hook's failure is the one to tell.
            let _ = self.delete(true);
        })
    }
}

/// Waits until nobody reads from the gate any more: its last reader was the process that has become the program, or has died.
fn wait_for_program(gate: &OwnedFd) -> std::result::Result<(), Errno> {
    loop {
        // With no events asked for, only the error is told.
        match poll(&mut [PollFd::new(gate, PollFlags::empty())], None) {
            Err(Errno::INTR) => {}
            other => return other.map(drop),
        }
    }
}
