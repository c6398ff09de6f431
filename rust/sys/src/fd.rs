//! Descriptors that come from outside as plain numbers.

use std::{
    io,
    os::fd::{FromRawFd, OwnedFd, RawFd},
};

/// A descriptor of our own for what number `raw` refers to, closed on exec.
///
/// # Errors
/// `EBADF` if there is no such descriptor; `EMFILE`.
pub fn duplicate(raw: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: fcntl reads no memory; a number that is no descriptor is answered with EBADF.
    let fd = unsafe { libc::fcntl(raw, libc::F_DUPFD_CLOEXEC, 3) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel made it for this call; nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        io::{Seek, SeekFrom},
        os::fd::AsRawFd,
    };

    use super::*;

    #[test]
    fn shares_the_position_and_outlives_the_first() -> io::Result<()> {
        let mut first = File::open("/proc/self/status")?;
        let mut second = File::from(duplicate(first.as_raw_fd())?);
        first.seek(SeekFrom::Start(5))?;
        assert_eq!(second.stream_position()?, 5);
        drop(first);
        second.metadata().map(drop)
    }

    #[test]
    fn a_wrong_number_is_an_error() {
        assert!(duplicate(-1).is_err());
        assert!(duplicate(1 << 28).is_err());
    }
}
