//! The runtime's side of the conversation with a child that becomes a program.

use std::{io::IoSlice, os::fd::AsFd, os::fd::OwnedFd};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, pidfd_send_signal, waitpid},
};

use crate::{
    error::{Context, Error, Result},
    options::Child,
    procfs::Procfs,
    spec::Process,
    sync::{Channel, Tag, failure},
};

/// The name that comes with a terminal's master, as other runtimes send it.
const CONSOLE_NAME: &[u8] = b"/dev/ptmx";

/// A child on its way. Dropped, it kills the child: nothing half made stays behind.
#[derive(Debug)]
pub(crate) struct Talk {
    pid: Pid,
    child: Option<Child>,
    channel: Channel,
    console_socket: Option<OwnedFd>,
}

impl Talk {
    pub(crate) fn new(
        pid: Pid,
        pidfd: OwnedFd,
        channel: Channel,
        console_socket: Option<OwnedFd>,
    ) -> Self {
        let child = Child {
            pid,
            pidfd,
            console: None,
            warnings: Vec::new(),
        };
        Self {
            pid,
            child: Some(child),
            channel,
            console_socket,
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn warn(&mut self, warning: String) {
        if let Some(child) = &mut self.child {
            child.warnings.push(warning);
        }
    }

    /// Listens until the child has nothing left to do but its program; `hooks` runs when everything is mounted.
    pub(crate) fn until_ready(&mut self, hooks: impl FnOnce() -> Result<()>) -> Result<()> {
        let mut hooks = Some(hooks);
        loop {
            let Some(packet) = self
                .channel
                .receive()
                .context(|| "cannot talk to the container's process")?
            else {
                return Err(self.died());
            };
            match packet.tag {
                Tag::Start => return Ok(()),
                Tag::Warning => self.warn(packet.text),
                Tag::Failed => return Err(failure(&packet.text)),
                Tag::Console => self.take_console(packet.fd)?,
                Tag::Hooks => {
                    hooks.take().map_or(Ok(()), |run| run())?;
                    self.channel
                        .send(Tag::Hooks)
                        .context(|| "cannot talk to the container's process")?;
                }
                Tag::Maps | Tag::Pid => {}
            }
        }
    }

    /// Sets what is better set from outside: limits that would get in the way of the set-up itself.
    pub(crate) fn limit(&mut self, procfs: &Procfs, process: &Process) -> Result<()> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        let Child { pid, warnings, .. } = child;
        crate::process::limits::apply(procfs, *pid, process, &mut |warning| warnings.push(warning))
    }

    /// Lets the child go on; it tells no more than whether its program runs.
    pub(crate) fn release(&mut self) -> Result<()> {
        let pid = self.pid.as_raw_nonzero();
        self.channel
            .send_with(Tag::Start, &pid.to_string(), None)
            .context(|| "cannot talk to the container's process")
    }

    /// Waits until the program runs.
    pub(crate) fn until_running(mut self) -> Result<Child> {
        loop {
            match self
                .channel
                .receive()
                .context(|| "cannot talk to the container's process")?
            {
                Some(packet) if packet.tag == Tag::Failed => return Err(failure(&packet.text)),
                Some(packet) if packet.tag == Tag::Warning => self.warn(packet.text),
                Some(_) => {}
                // The end of the stream: execve has closed it, or death has.
                None => return self.done(),
            }
        }
    }

    /// Gives the child out of hand.
    pub(crate) fn done(mut self) -> Result<Child> {
        self.child
            .take()
            .ok_or_else(|| Error::setup("cannot start the process", "it is gone"))
    }

    fn take_console(&mut self, master: Option<OwnedFd>) -> Result<()> {
        let Some(master) = master else { return Ok(()) };
        if let Some(socket) = &self.console_socket {
            return crate::sync::send_fd(
                socket.as_fd(),
                &[IoSlice::new(CONSOLE_NAME)],
                &[master.as_fd()],
            )
            .context(|| "cannot send the terminal to the console socket");
        }
        if let Some(child) = &mut self.child {
            child.console = Some(master);
        }
        Ok(())
    }

    /// Why a child that ended without a word did so.
    fn died(&mut self) -> Error {
        let what = "cannot set up the container's process";
        let Some(child) = self.child.take() else {
            return Error::setup(what, "it is gone");
        };
        match wait_for(child.pid) {
            Ok(Some(status)) => match status.terminating_signal() {
                Some(9) => Error::setup(what, "it was killed (is the memory limit too low?)"),
                Some(signal) => Error::setup(what, format!("it was killed by signal {signal}")),
                None => Error::setup(
                    what,
                    format!(
                        "it ended with status {}",
                        status.exit_status().unwrap_or_default()
                    ),
                ),
            },
            _ => Error::setup(what, "it is gone"),
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            end(&child);
        }
    }
}

/// Kills a child and waits for its end.
pub(crate) fn end(child: &Child) {
    let _ = pidfd_send_signal(&child.pidfd, Signal::KILL);
    let _ = wait_for(child.pid);
}

fn wait_for(pid: Pid) -> std::result::Result<Option<rustix::process::WaitStatus>, Errno> {
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Err(Errno::INTR) => {}
            other => return Ok(other?.map(|(_, status)| status)),
        }
    }
}
