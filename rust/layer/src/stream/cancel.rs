//! A way to stop an operation that may be blocked in a read.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};

/// Shared between an operation and whoever may stop it; stopped once, stopped for good.
#[derive(Debug)]
pub struct Cancel {
    stopped: AtomicBool,
    event: OwnedFd,
}

impl Cancel {
    /// Not stopped. Fails only when the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self {
            stopped: AtomicBool::new(false),
            event,
        })
    }

    /// Make the operation end soon, also when it waits for input.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        // A full counter (EAGAIN) is as readable as can be.
        let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
    }

    /// Whether somebody called [`Cancel::stop`].
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Wait until `fd` is ready for what `events` say or the operation is stopped; false when stopped.
    pub(crate) fn wait(&self, fd: BorrowedFd<'_>, events: PollFlags) -> io::Result<bool> {
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(fd, events),
                PollFd::new(&self.event, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) => return Ok(!self.is_stopped()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Cancel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
