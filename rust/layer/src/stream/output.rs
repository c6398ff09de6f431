//! The caller's descriptor on the way out, which may be a pipe that nobody reads.

use std::{
    io::{self, Write},
    os::fd::BorrowedFd,
};

use rustix::{event::PollFlags, io::Errno};

use super::Cancel;
use crate::Error;

/// Writes to a descriptor until it is told to stop.
pub struct Output<'a> {
    fd: BorrowedFd<'a>,
    cancel: &'a Cancel,
}

impl<'a> Output<'a> {
    /// Write to `fd`; once `cancel` is stopped, writing fails with [`Error::Cancelled`] inside.
    pub fn new(fd: BorrowedFd<'a>, cancel: &'a Cancel) -> Self {
        Self { fd, cancel }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        loop {
            if !self.cancel.wait(self.fd, PollFlags::OUT)? {
                return Err(io::Error::other(Error::Cancelled));
            }
            match rustix::io::write(self.fd, data) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                result => return Ok(result?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
