//! Time namespaces with offsets.

use std::os::fd::AsFd;

use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space},
};

use crate::{
    error::{Context, Result},
    procfs::Procfs,
    spec::{TimeOffset, TimeOffsets},
};

/// Offsets can be set only while nobody is in the namespace yet, so it is made first and entered afterwards.
pub(super) fn enter(procfs: &Procfs, offsets: TimeOffsets) -> Result<()> {
    pyctr_sys::namespace::unshare(UnshareFlags::NEWTIME)
        .context(|| "cannot make a time namespace")?;
    let line = |clock: &str, offset: Option<TimeOffset>| {
        offset
            .map(|offset| format!("{clock} {} {}\n", offset.secs, offset.nanosecs))
            .unwrap_or_default()
    };
    let text = line("monotonic", offsets.monotonic) + &line("boottime", offsets.boottime);
    if !text.is_empty() {
        procfs
            .write("self/timens_offsets", &text)
            .context(|| "cannot set the offsets of the time namespace")?;
    }
    let children = openat(
        CWD,
        "/proc/self/ns/time_for_children",
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .context(|| "cannot open the time namespace")?;
    move_into_link_name_space(children.as_fd(), Some(LinkNameSpaceType::Time))
        .context(|| "cannot enter the time namespace")
}
