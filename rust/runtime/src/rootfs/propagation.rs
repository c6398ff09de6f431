//! What spreads between the container's mounts and the host's.

use std::os::fd::{AsFd, OwnedFd};

use pyctr_sys::mount::{MountAttr, mount_setattr};
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    mount::MountPropagationFlags as Propagation,
};

use crate::{
    error::{Context as _, Result},
    spec::{Linux, RootfsPropagation},
};

/// Cuts the calling process's mounts off from the host's, as far as the document asks, and returns the host's `/`.
pub(super) fn isolate(linux: &Linux) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let host = openat(CWD, "/", flags, Mode::empty()).context(|| "cannot open /")?;
    match of_tree(linux) {
        Some(kind) => set(&host, kind, true)?,
        // The new root's parent must not be shared, or the kernel refuses to pivot and the mount spreads to the host.
        None => set(&host, Propagation::PRIVATE, false)?,
    }
    Ok(host)
}

/// How the host's tree, as the container's namespace has it, is cut off; `None` where it stays shared.
pub(super) fn of_tree(linux: &Linux) -> Option<Propagation> {
    use RootfsPropagation as P;
    match linux.rootfs_propagation {
        None | Some(P::Slave | P::Rslave) => Some(Propagation::DOWNSTREAM),
        Some(P::Private | P::Rprivate | P::Unbindable | P::Runbindable) => {
            Some(Propagation::PRIVATE)
        }
        Some(P::Shared | P::Rshared) => None,
    }
}

/// Makes the container's root what the document asks for, once it is `/`; before, `pivot_root(2)` would refuse.
pub(super) fn finish(linux: &Linux, root: impl AsFd) -> Result<()> {
    use RootfsPropagation as P;
    match linux.rootfs_propagation {
        Some(P::Shared) => set(root, Propagation::SHARED, false),
        Some(P::Rshared) => set(root, Propagation::SHARED, true),
        Some(P::Unbindable) => set(root, Propagation::UNBINDABLE, false),
        Some(P::Runbindable) => set(root, Propagation::UNBINDABLE, true),
        _ => Ok(()),
    }
}

/// Stops whatever happens in the host's tree here from reaching the host.
pub(super) fn cut_off(host: &OwnedFd) -> Result<()> {
    set(host, Propagation::DOWNSTREAM, true)
}

fn set(mount: impl AsFd, propagation: Propagation, recursive: bool) -> Result<()> {
    let attr = MountAttr {
        propagation,
        ..MountAttr::default()
    };
    mount_setattr(mount, recursive, &attr).context(|| "cannot set the propagation of mounts")
}
