//! A program file that nobody can write through `/proc/<pid>/exe`.
//!
//! A process that enters a container shows its own executable there. Were it the host's writable file, a hostile container could
//! replace it (CVE-2019-5736).

use std::{io, os::fd::OwnedFd, path::Path};

use rustix::{
    fs::{MemfdFlags, Mode, OFlags, SealFlags},
    io::Errno,
    mount::MountAttrFlags,
};

use crate::mount::{MountAttr, clone_mount, mount_setattr};

/// Not in rustix yet: memfd_create(2), since Linux 6.3.
const MFD_EXEC: u32 = 0x10;

/// A descriptor of the program at `path` to execute with execveat(2).
///
/// It is a read-only detached mount, whose pages every process started from it shares; without the right to mount it is a sealed
/// copy in memory. Fails as open(2) or as memfd_create(2) does.
pub fn protected(path: &Path) -> io::Result<OwnedFd> {
    detached_mount(path).or_else(|error| match Errno::from_io_error(&error) {
        Some(Errno::PERM | Errno::NOSYS | Errno::INVAL) => Ok(sealed_copy(path)?),
        _ => Err(error),
    })
}

fn detached_mount(path: &Path) -> io::Result<OwnedFd> {
    let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let mount = clone_mount(file, false)?;
    let set = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV;
    mount_setattr(
        &mount,
        false,
        &MountAttr {
            set,
            ..MountAttr::default()
        },
    )?;
    Ok(mount)
}

fn sealed_copy(path: &Path) -> rustix::io::Result<OwnedFd> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    let size = rustix::fs::fstat(&file)?.st_size as u64;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = rustix::fs::memfd_create("pyctr", flags | MemfdFlags::from_bits_retain(MFD_EXEC))
        .or_else(|_| rustix::fs::memfd_create("pyctr", flags))?;
    let mut sent = 0;
    while sent < size {
        match rustix::fs::sendfile(&copy, &file, None, (size - sent) as usize)? {
            0 => return Err(Errno::IO),
            n => sent += n as u64,
        }
    }
    rustix::fs::fcntl_add_seals(
        &copy,
        SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
    )?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        ffi::CString,
        fs::File,
        io::Read,
        os::fd::{AsFd, AsRawFd},
        os::unix::fs::FileExt,
    };

    fn runs(exe: &OwnedFd) {
        let (read, write) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("pipe");
        let args = ["echo", "hello"].map(|arg| CString::new(arg).expect("no NUL"));
        crate::spawn::detached(exe.as_fd(), &args, &[], &[(write.as_raw_fd(), 1)]).expect("spawns");
        drop(write);
        let mut text = String::new();
        File::from(read).read_to_string(&mut text).expect("text");
        assert_eq!(text, "hello\n");
    }

    #[test]
    fn protected_program_runs() {
        runs(&protected(Path::new("/bin/echo")).expect("protected"));
    }

    #[test]
    fn sealed_copy_runs_and_refuses_writes() {
        let copy = sealed_copy(Path::new("/bin/echo")).expect("copy");
        runs(&copy);
        let error = File::from(copy).write_at(b"x", 0).expect_err("sealed");
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
    }

    #[test]
    fn missing_program_is_an_error() {
        let error = protected(Path::new("/nonexistent/pyctr-shim")).expect_err("missing");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
