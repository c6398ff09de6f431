//! A mount namespace for a moment: older kernels make some mounts only where they can also be attached.

use std::{io, thread};

use rustix::{
    fs::CWD,
    mount::{MountPropagationFlags, OpenTreeFlags},
    thread::UnshareFlags,
};

use crate::mount::{MountAttr, mount_setattr};

/// Runs `work` on a thread of its own in a private copy of the mount namespace, and throws the namespace away afterwards.
///
/// Nothing that `work` attaches is ever seen by the host; detached mounts it returns as descriptors live on.
/// The thread shares the descriptor table, but not the working directory.
///
/// # Errors
/// Those of `work`, and `EPERM` without `CAP_SYS_ADMIN`.
pub fn in_private_mounts<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let body = || {
        // SAFETY: only the mount namespace and the working directory part ways, and only for this thread; the descriptor
        // table stays shared, so no descriptor can go stale in another thread.
        unsafe { rustix::thread::unshare_unsafe(UnshareFlags::FS | UnshareFlags::NEWNS) }?;
        let root = rustix::mount::open_tree(CWD, c"/", OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
        let attr = MountAttr {
            propagation: MountPropagationFlags::PRIVATE,
            ..MountAttr::default()
        };
        mount_setattr(root, true, &attr)?;
        work()
    };
    thread::scope(|scope| match scope.spawn(body).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
