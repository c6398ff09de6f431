//! The proof that a supervisor lives: an flock on `shim.lock` that the kernel drops at any death.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
    thread::sleep,
    time::Duration,
};

use rustix::{fs::FlockOperation, io::Errno};

use crate::failure::Failure;

/// The file's name in the bundle.
pub const FILE: &str = "shim.lock";

/// How often the lock is tried, a millisecond apart.
///
/// Whoever asks whether a supervisor lives takes the lock shared for a few microseconds, which must not turn a starting one away.
const ATTEMPTS: u32 = 250;

/// The held lock.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Lock the bundle, or fail because it has a supervisor. The file tells the pid to those who wait for this process.
    pub fn acquire(bundle: &Path) -> Result<Self, Failure> {
        let path = bundle.join(FILE);
        let locked = open(&path).and_then(|file| Ok(lock(&file)?.then_some(file)));
        match locked {
            Ok(Some(file)) => Ok(Self(file)),
            Ok(None) => Err(Failure::engine(format!(
                "{} is locked: the container has a supervisor already",
                path.display()
            ))),
            Err(error) => Err(Failure::engine(format!(
                "locking {}: {error}",
                path.display()
            ))),
        }
    }

    /// Whether the bundle was removed, which leaves nothing to supervise for.
    pub fn is_orphaned(&self) -> bool {
        self.0
            .metadata()
            .is_ok_and(|metadata| metadata.nlink() == 0)
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
}

/// Whether the lock was got.
fn lock(mut file: &File) -> io::Result<bool> {
    for _ in 0..ATTEMPTS {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                file.set_len(0)?;
                file.write_all(format!("{}\n", std::process::id()).as_bytes())?;
                return Ok(true);
            }
            Err(Errno::WOULDBLOCK) => sleep(Duration::from_millis(1)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_is_refused_and_the_next_after_the_first_is_not() {
        let dir = tempfile::tempdir().expect("tempdir");
        let first = Lock::acquire(dir.path()).expect("free");
        let error = Lock::acquire(dir.path()).expect_err("held");
        assert_eq!(
            (
                error.code,
                error.message.contains("has a supervisor already")
            ),
            (125, true),
            "{error}"
        );
        drop(first);
        Lock::acquire(dir.path()).expect("free again");
        let text = std::fs::read_to_string(dir.path().join(FILE)).expect("read");
        assert_eq!(text, format!("{}\n", std::process::id()));
    }

    #[test]
    fn waits_for_a_short_look() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join(FILE);
        let look = open(&path).expect("open");
        rustix::fs::flock(&look, FlockOperation::LockShared).expect("shared");
        let looking = std::thread::spawn(move || {
            sleep(Duration::from_millis(20));
            drop(look);
        });
        Lock::acquire(dir.path()).expect("got after the look");
        looking.join().expect("thread");
    }

    #[test]
    fn notices_that_the_bundle_is_gone() {
        let dir = tempfile::tempdir().expect("tempdir");
        let lock = Lock::acquire(dir.path()).expect("free");
        assert!(!lock.is_orphaned());
        drop(dir);
        assert!(lock.is_orphaned());
    }
}
