//! The way into a program.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{self, Errno},
};

/// Input held for a program that does not read; beyond it, clients wait.
const STDIN_LIMIT: usize = 64 * 1024;

/// The way into the program.
#[derive(Debug)]
pub struct Stdin {
    fd: OwnedFd,
    pending: Vec<u8>,
    ending: bool,
}

impl Stdin {
    /// `fd` becomes non-blocking.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        set_nonblocking(fd.as_fd())?;
        Ok(Self {
            fd,
            pending: Vec::new(),
            ending: false,
        })
    }

    /// To be polled for writing, if there is something to write.
    pub fn pending(&self) -> Option<BorrowedFd<'_>> {
        (!self.pending.is_empty()).then(|| self.fd.as_fd())
    }

    /// Whether clients should wait.
    pub fn is_full(&self) -> bool {
        self.pending.len() >= STDIN_LIMIT
    }

    /// Add to what is on its way.
    pub fn push(&mut self, input: &[u8]) {
        self.pending.extend_from_slice(input);
    }

    /// End after what is on its way.
    pub fn end(&mut self) {
        self.ending = true;
    }

    /// Write; false if this was the end, because all was written or because nobody reads.
    pub fn flush(&mut self) -> bool {
        let mut written = 0;
        let alive = loop {
            if written == self.pending.len() {
                break !self.ending;
            }
            match io::write(&self.fd, &self.pending[written..]) {
                Ok(count) => written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break true,
                Err(_) => break false,
            }
        };
        self.pending.drain(..written);
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
        alive
    }
}

/// Make reading or writing answer EAGAIN instead of waiting.
pub fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    fcntl_setfl(fd, fcntl_getfl(fd)? | OFlags::NONBLOCK)
}
