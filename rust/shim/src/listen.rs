//! `shim.sock`: who may talk to a supervisor.

use std::{
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixListener,
    },
    path::Path,
    thread::sleep,
    time::Duration,
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::Errno,
    net::{Shutdown, SocketFlags, accept_with, shutdown, sockopt::socket_peercred},
    process::{chdir, fchdir, geteuid, umask},
};

/// The socket's name in the bundle.
pub const FILE: &str = "shim.sock";

/// Pause after a failure that will not go away at once.
const BREATH: Duration = Duration::from_millis(10);

/// Accepts those who may control the container: root and the supervisor's own user.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    bundle: OwnedFd,
}

impl Listener {
    /// Listen in the bundle; a socket that a killed supervisor left is replaced, which only the holder of the lock may do.
    ///
    /// The socket is bound by its bare name from inside the bundle, because a path may be longer than the 107 bytes that an
    /// address holds, and with a umask that makes it 0600 from its first moment. Changes the working directory to `/`.
    pub fn bind(bundle: &Path) -> std::io::Result<Self> {
        let dir = open(
            bundle,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        fchdir(&dir)?;
        let before = umask(Mode::from_raw_mode(0o177));
        let _ = std::fs::remove_file(FILE);
        let bound = UnixListener::bind(FILE);
        umask(before);
        let returned = chdir("/");
        let listener = Self {
            socket: bound?,
            bundle: dir,
        };
        returned?;
        listener.socket.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Let nobody in who has not come yet. Those who wait at the door can still be accepted.
    pub fn refuse(&self) {
        // Fails only for a socket that does not listen.
        let _ = shutdown(&self.socket, Shutdown::Read);
    }

    /// The next peer that waits and may talk to us; others are hung up on.
    pub fn accept(&self) -> Option<OwnedFd> {
        loop {
            match accept_with(&self.socket, SocketFlags::CLOEXEC) {
                Ok(peer) if is_allowed(&peer) => return Some(peer),
                Ok(_) | Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(Errno::AGAIN) => return None,
                Err(_) => {
                    // Out of descriptors or memory: the peer goes on waiting, and we must not spin meanwhile.
                    sleep(BREATH);
                    return None;
                }
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&self.bundle, FILE, rustix::fs::AtFlags::empty());
    }
}

/// Root and the supervisor's own user. The 0600 file already says so; this holds whoever changes the file's mode.
fn is_allowed(peer: &OwnedFd) -> bool {
    socket_peercred(peer).is_ok_and(|peer| peer.uid.is_root() || peer.uid == geteuid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::{fs::MetadataExt, net::UnixStream};

    #[test]
    fn binds_in_a_deep_bundle_and_cleans_up() {
        let dir = tempfile::tempdir().expect("tempdir");
        let bundle = dir.path().join("a".repeat(200));
        std::fs::create_dir(&bundle).expect("mkdir");
        std::fs::write(bundle.join(FILE), "left over").expect("written");
        let listener = Listener::bind(&bundle).expect("bound");
        assert_eq!(
            bundle.join(FILE).metadata().expect("metadata").mode() & 0o7777,
            0o600
        );
        assert!(listener.accept().is_none());
        let link = dir.path().join("short");
        std::os::unix::fs::symlink(&bundle, &link).expect("symlink");
        let _client = UnixStream::connect(link.join(FILE)).expect("connected");
        assert!(listener.accept().is_some());
        drop(listener);
        assert_eq!(std::fs::read_dir(&bundle).expect("dir").count(), 0);
    }

    #[test]
    fn refuses_who_comes_too_late_and_nobody_else() {
        let dir = tempfile::tempdir().expect("tempdir");
        let listener = Listener::bind(dir.path()).expect("bound");
        let _early = UnixStream::connect(dir.path().join(FILE)).expect("connected");
        listener.refuse();
        UnixStream::connect(dir.path().join(FILE)).expect_err("refused");
        assert!(listener.accept().is_some());
        assert!(listener.accept().is_none());
    }
}
