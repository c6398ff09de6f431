//! New file systems: proc, sysfs, tmpfs, devpts, mqueue, and any other that the kernel knows.

use std::{io, os::fd::OwnedFd};

use pyctr_sys::mount::{FsContext, MountAttr, clone_mount, mount_setattr};
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
    mount::MountAttrFlags as Attr,
};

use super::{plan::Planned, target::Target};
use crate::error::{Cause as _, Error, Result};

/// Makes the file system of `planned` as a detached mount with `attributes`.
pub(super) fn make(planned: &Planned<'_>, target: &Target, attributes: Attr) -> Result<OwnedFd> {
    let mut words = String::new();
    let made = FsContext::open(planned.kind).and_then(|context| {
        let made = configure(planned, target, &context).and_then(|()| context.mount(attributes));
        if made.is_err() {
            words = context.message();
        }
        made
    });
    let made = match made {
        Err(error) if is_refused_sysfs(planned, &error) => host_sysfs(attributes),
        made => made,
    };
    made.map_err(|error| {
        let cause = match Errno::from_io_error(&error) {
            _ if !words.is_empty() => words,
            Some(Errno::NODEV) => "the kernel has no such file system".to_owned(),
            _ => error.describe(),
        };
        Error::setup(planned.cannot_mount(), cause)
    })
}

fn configure(planned: &Planned<'_>, target: &Target, context: &FsContext) -> io::Result<()> {
    if let Some(source) = &planned.mount.source {
        context.string("source", source)?;
    }
    match (planned.kind, target.old_mode()) {
        // A tmpfs looks like the directory that it covers, unless an option says otherwise.
        ("tmpfs", Some(mode)) => context.string("mode", format!("{mode:o}"))?,
        // A superblock on a device must know that nobody may write to it.
        ("tmpfs" | "proc" | "sysfs" | "devpts" | "mqueue", _) => {}
        _ if planned.options.fresh().contains(Attr::MOUNT_ATTR_RDONLY) => context.flag("ro")?,
        _ => {}
    }
    for flag in &planned.options.superblock {
        context.flag(flag)?;
    }
    for (key, value) in &planned.options.data {
        match value {
            Some(value) => context.string(key, value)?,
            None => context.flag(key)?,
        }
    }
    Ok(())
}

/// The kernel makes a sysfs only for the owner of the network namespace.
fn is_refused_sysfs(planned: &Planned<'_>, error: &io::Error) -> bool {
    planned.kind == "sysfs" && Errno::from_io_error(error) == Some(Errno::PERM)
}

/// The host's `/sys` with everything in it, for looking only.
fn host_sysfs(attributes: Attr) -> io::Result<OwnedFd> {
    let sys = openat(
        CWD,
        "/sys",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let mount = clone_mount(sys, true)?;
    let set = attributes | Attr::MOUNT_ATTR_RDONLY;
    mount_setattr(
        &mount,
        true,
        &MountAttr {
            set,
            ..MountAttr::default()
        },
    )?;
    Ok(mount)
}
