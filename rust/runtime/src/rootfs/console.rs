//! The container's terminal: a pair from its own devpts, and `/dev/console`.

use std::{io, os::fd::OwnedFd};

use pyctr_sys::{
    mount::{attach, clone_mount},
    root::Root,
};
use rustix::{
    fs::{self, FileType, FsWord, Mode, OFlags, fstatfs, openat},
    io::Errno,
    pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt},
};

use super::Mounted;
use crate::error::{Context as _, Error, Kind, Result};

/// `statfs(2)`'s number for devpts.
const DEVPTS_SUPER_MAGIC: FsWord = 0x1cd1;

/// A new terminal of the devpts at `/dev/pts` below `root`: the end that the supervisor keeps, and the container's.
///
/// The container's end is opened through the other one, never by a path that somebody could have covered.
///
/// # Errors
/// There is no devpts, or it has no terminal left.
pub fn open_terminal(root: &Root) -> Result<(OwnedFd, OwnedFd)> {
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let master = root
        .open("dev/pts/ptmx", flags, Mode::empty())
        .context(|| "cannot open the container's /dev/pts/ptmx")?;
    if fstatfs(&master)
        .context(|| "cannot open a terminal")?
        .f_type
        != DEVPTS_SUPER_MAGIC
    {
        return Err(Error::new(
            Kind::Setup,
            "the container's /dev/pts is not a devpts file system",
        ));
    }
    unlockpt(&master).context(|| "cannot unlock the terminal")?;
    let peer = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = ioctl_tiocgptpeer(&master, peer)
        .context(|| "cannot open the container's end of the terminal")?;
    Ok((master, slave))
}

impl Mounted<'_> {
    /// Makes the terminal `slave`, from [`open_terminal`], the container's `/dev/console`.
    ///
    /// # Errors
    /// `/dev/console` exists as something that cannot be covered, or the kernel refuses.
    pub fn bind_console(&self, slave: &OwnedFd) -> Result<()> {
        self.cover_console(slave)
            .context(|| "cannot mount the terminal on /dev/console")
    }

    fn cover_console(&self, slave: &OwnedFd) -> io::Result<()> {
        let (dev, name) = self.root.parent("dev/console")?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&dev, &name, flags, Mode::from_raw_mode(0o620)) {
            Ok(_) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
        let place = openat(
            &dev,
            &name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        if FileType::from_raw_mode(fs::fstat(&place)?.st_mode) == FileType::Symlink {
            return Err(Errno::LOOP.into());
        }
        attach(clone_mount(slave, false)?, place)
    }
}
