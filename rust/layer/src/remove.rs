//! Removes a tree by descriptors, whatever is in it and however deep.

use std::{
    ffi::CStr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, renameat, unlinkat},
    io::Errno,
    path::Arg,
};

use crate::{Error, Result};

/// Directories below this many others are moved up first: depth must cost neither descriptors nor stack.
const DEEP: usize = 64;

/// Remove `name` in `parent` and everything in it; symbolic links are removed, never followed. What is gone already
/// is no error, so that doing it twice is harmless.
///
/// # Errors
///
/// [`Error::Io`] for the first thing that cannot be removed.
pub fn remove_tree(parent: BorrowedFd<'_>, name: &[u8]) -> Result<()> {
    let failed = |error: Errno| Error::io("remove", name, error);
    if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
        return Err(failed(Errno::INVAL));
    }
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(failed(error)),
    }
    let top = open(parent, name).map_err(failed)?;
    let mut moved = 0;
    empty(top.as_fd(), top.as_fd(), 0, &mut moved).map_err(failed)?;
    // What was too deep lies in the top directory now; each round makes the tree at least DEEP levels flatter.
    while moved > 0 {
        moved = 0;
        empty(top.as_fd(), top.as_fd(), 0, &mut moved).map_err(failed)?;
    }
    drop(top);
    gone(unlinkat(parent, name, AtFlags::REMOVEDIR)).map_err(failed)
}

/// Empty `directory`; what lies too deep is moved to `top` and counted in `moved`.
fn empty(
    top: BorrowedFd<'_>,
    directory: BorrowedFd<'_>,
    depth: usize,
    moved: &mut u64,
) -> rustix::io::Result<()> {
    let mut listing = Dir::read_from(directory)?;
    while let Some(entry) = listing.read() {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if entry.file_type() != FileType::Directory && unlink(directory, name)? {
            continue;
        }
        if depth == DEEP {
            move_up(top, directory, name, moved)?;
            continue;
        }
        let below = match open(directory, name) {
            Err(Errno::NOENT) => continue,
            below => below?,
        };
        empty(top, below.as_fd(), depth + 1, moved)?;
        // Not empty when something was put into it meanwhile: the caller's next round, or its error, sees to it.
        gone(unlinkat(directory, name, AtFlags::REMOVEDIR))?;
    }
    Ok(())
}

/// Remove anything but a directory; false when it turns out to be one.
fn unlink(directory: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<bool> {
    match unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(true),
        Err(Errno::ISDIR) => Ok(false),
        Err(error) => Err(error),
    }
}

fn move_up(
    top: BorrowedFd<'_>,
    from: BorrowedFd<'_>,
    name: &CStr,
    moved: &mut u64,
) -> rustix::io::Result<()> {
    // A name that is taken is either this function's own from an earlier round or a chance: take the next.
    loop {
        let target = format!(".pyctr-deep-{moved}");
        *moved += 1;
        match renameat(from, name, top, target) {
            Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR | Errno::ISDIR) => {}
            result => return gone(result),
        }
    }
}

fn open(parent: BorrowedFd<'_>, name: impl Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

fn gone(result: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::symlink,
        path::Path,
    };

    use super::*;

    fn remove(parent: &Path, name: &str) -> Result<()> {
        remove_tree(File::open(parent).expect("opens").as_fd(), name.as_bytes())
    }

    #[test]
    fn takes_everything_and_follows_nothing() {
        let home = tempfile::tempdir().expect("temporary directory");
        let tree = home.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).expect("made");
        fs::write(home.path().join("kept"), "x").expect("written");
        fs::write(tree.join("a/file"), "x").expect("written");
        symlink("../../kept", tree.join("a/link")).expect("linked");
        symlink(home.path(), tree.join("dirlink")).expect("linked");
        remove(home.path(), "tree").expect("removed");
        assert!(!tree.exists() && home.path().join("kept").exists());
        remove(home.path(), "tree").expect("twice is harmless");
    }

    #[test]
    fn depth_is_no_matter() {
        let home = tempfile::tempdir().expect("temporary directory");
        let mut here = File::open(home.path()).expect("opens");
        for _ in 0..3000 {
            rustix::fs::mkdirat(&here, "deep", Mode::RWXU).expect("made");
            here = openat(&here, "deep", OFlags::RDONLY, Mode::empty())
                .expect("opens")
                .into();
        }
        remove(home.path(), "deep").expect("removed");
        assert_eq!(fs::read_dir(home.path()).expect("read").count(), 0);
    }

    #[test]
    fn refuses_names_that_lead_elsewhere() {
        let home = tempfile::tempdir().expect("temporary directory");
        for bad in ["", ".", "..", "a/b"] {
            assert!(remove(home.path(), bad).is_err(), "{bad}");
        }
    }
}
