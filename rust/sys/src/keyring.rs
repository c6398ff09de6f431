//! Session keyrings, see `keyctl(2)`.

use std::ffi::CStr;

use rustix::io::Errno;

const KEYCTL_JOIN_SESSION_KEYRING: libc::c_int = 1;
const KEYCTL_SETPERM: libc::c_int = 5;
/// The possessor may do everything, the owner may view, read and search: `KEY_POS_ALL | KEY_USR_VIEW | KEY_USR_READ | KEY_USR_SEARCH`.
const PERMISSIONS: libc::c_long = 0x3f0b_0000;

/// Gives the caller a session keyring of its own with this name.
///
/// # Errors
/// `EDQUOT` when the user has too many keys, `ENOSYS` without keyrings in the kernel, else those of `keyctl(2)`.
pub fn join_session(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the name is a C string that outlives the call.
    let key =
        unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.as_ptr()) };
    if key < 0 {
        return Err(crate::last_errno());
    }
    // SAFETY: both arguments are numbers.
    if unsafe { libc::syscall(libc::SYS_keyctl, KEYCTL_SETPERM, key, PERMISSIONS) } < 0 {
        return Err(crate::last_errno());
    }
    Ok(())
}
