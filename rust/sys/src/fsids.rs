//! Acting on files under other ids, with all rights kept.

use std::io;

use rustix::{
    fs::{Gid, Uid},
    thread::{capabilities, set_capabilities},
};

/// The calling thread makes files as `uid` and `gid` until this is dropped; see `setfsuid(2)`.
///
/// What the kernel makes for a mount under the credentials of its maker, such as an overlay's work directory, then belongs to ids that
/// an id-mapped layer can express.
#[derive(Debug)]
pub struct FsIds {
    uid: Uid,
    gid: Gid,
}

impl FsIds {
    /// Takes the ids on.
    ///
    /// # Errors
    /// `EPERM` if the ids may not be taken or the rights that go with a change of them cannot be taken back.
    pub fn assume(uid: Uid, gid: Gid) -> io::Result<Self> {
        let old = Self {
            gid: set_gid(gid),
            uid: set_uid(uid),
        };
        // Leaving uid 0 takes the rights over files (CAP_DAC_OVERRIDE and its like) out of the effective set.
        let mut sets = capabilities(None)?;
        sets.effective = sets.permitted;
        set_capabilities(None, sets)?;
        // The calls report no failure, only what was in force before.
        if (set_uid(uid), set_gid(gid)) == (uid, gid) {
            Ok(old)
        } else {
            Err(io::Error::from_raw_os_error(libc::EPERM))
        }
    }
}

impl Drop for FsIds {
    fn drop(&mut self) {
        set_gid(self.gid);
        set_uid(self.uid);
    }
}

fn set_uid(uid: Uid) -> Uid {
    // SAFETY: the call takes and gives numbers; as a raw system call it concerns this thread alone.
    let old = unsafe { libc::syscall(libc::SYS_setfsuid, uid.as_raw()) };
    Uid::from_raw(old as u32)
}

fn set_gid(gid: Gid) -> Gid {
    // SAFETY: as above.
    let old = unsafe { libc::syscall(libc::SYS_setfsgid, gid.as_raw()) };
    Gid::from_raw(old as u32)
}
