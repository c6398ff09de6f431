//! The terminal of a process, taken as its standard streams.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::fchown,
    io::Errno,
    process::ioctl_tiocsctty,
    termios::{OptionalActions, OutputModes, Winsize, tcgetattr, tcsetattr, tcsetwinsize},
    thread::Uid,
};

use crate::{
    error::{Context, Result},
    spec::ConsoleSize,
};

/// Sets the size of the terminal, as its program will ask for it at once.
pub(crate) fn resize(terminal: impl AsFd, size: ConsoleSize) -> Result<()> {
    let size = Winsize {
        ws_row: size.height,
        ws_col: size.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).context(|| "cannot set the size of the terminal")
}

/// Lets line ends through as the program writes them.
pub(crate) fn bare_lines(terminal: impl AsFd) -> Result<()> {
    let what = || "cannot set the modes of the terminal";
    let mut modes = tcgetattr(&terminal).context(what)?;
    modes.output_modes.remove(OutputModes::ONLCR);
    tcsetattr(&terminal, OptionalActions::Now, &modes).context(what)
}

/// Makes the container's end the controlling terminal and the standard streams of the caller, which leads a session.
pub(crate) fn take(slave: OwnedFd, owner: u32) -> Result<()> {
    match fchown(&slave, Some(Uid::from_raw(owner)), None) {
        // A user that has no id here cannot own it; it works all the same.
        Ok(()) | Err(Errno::INVAL | Errno::PERM | Errno::ROFS) => {}
        Err(errno) => return Err(errno).context(|| "cannot give the terminal to the user"),
    }
    ioctl_tiocsctty(&slave).context(|| "cannot take the terminal")?;
    super::stdio::install([slave.as_fd(), slave.as_fd(), slave.as_fd()])
}
