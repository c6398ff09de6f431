//! `unshare(2)` of namespaces, and names in them.

use rustix::{io::Errno, thread::UnshareFlags};

/// Gives the caller new namespaces of the kinds in `flags`.
///
/// # Errors
/// `EINVAL` for a flag that is no namespace, else those of `unshare(2)`.
pub fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    if u64::from(flags.bits()) & !crate::clone::NEW_NAMESPACES != 0 {
        return Err(Errno::INVAL);
    }
    // SAFETY: only CLONE_FILES would let a thread lose sight of descriptors, and it was refused above.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}
