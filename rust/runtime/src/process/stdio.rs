//! The standard streams of a process.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::{
    fs::{FileType, fchown, fstat},
    io::{Errno, fcntl_dupfd_cloexec},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stderr, stdin, stdout},
    thread::Uid,
};

use crate::error::{Context, Result};

/// Makes these three the standard streams of the caller.
pub(crate) fn install(streams: [BorrowedFd<'_>; 3]) -> Result<()> {
    let what = || "cannot set up the standard streams";
    // A stream may itself have one of the three numbers, and must not be overwritten before it is copied.
    let high = |fd: BorrowedFd<'_>| -> std::result::Result<Option<OwnedFd>, Errno> {
        if fd.as_raw_fd() > 2 {
            Ok(None)
        } else {
            fcntl_dupfd_cloexec(fd, 3).map(Some)
        }
    };
    let [first, second, third] = streams;
    let copies = [
        high(first).context(what)?,
        high(second).context(what)?,
        high(third).context(what)?,
    ];
    let pick = |i: usize| copies[i].as_ref().map_or(streams[i], |copy| copy.as_fd());
    dup2_stdin(pick(0)).context(what)?;
    dup2_stdout(pick(1)).context(what)?;
    dup2_stderr(pick(2)).context(what)
}

/// Gives pipes and sockets among the standard streams to the user, who could otherwise not open `/dev/stdout` again.
pub(crate) fn give_to(user: u32) {
    for stream in [stdin(), stdout(), stderr()] {
        let ours = fstat(stream).is_ok_and(|stat| {
            let kind = FileType::from_raw_mode(stat.st_mode);
            stat.st_uid != user && matches!(kind, FileType::Fifo | FileType::Socket)
        });
        if ours {
            // Not being allowed to is no reason to fail: the streams themselves work.
            let _ = fchown(stream, Some(Uid::from_raw(user)), None);
        }
    }
}
