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
/// is no error, so that doing it twice is harmless. What cannot be removed does not keep the rest from going.
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
    // What was too deep lies in the top directory after a round: each makes the tree at least DEEP levels flatter.
    loop {
        let mut round = Round {
            top: top.as_fd(),
            moved: 0,
        };
        round.empty(top.as_fd(), 0).map_err(failed)?;
        if round.moved == 0 {
            break;
        }
    }
    drop(top);
    gone(unlinkat(parent, name, AtFlags::REMOVEDIR)).map_err(failed)
}

/// One way through the tree.
struct Round<'a> {
    top: BorrowedFd<'a>,
    /// Directories that lay too deep and were moved to the top.
    moved: u64,
}

impl Round<'_> {
    /// Empty `directory` as far as that can be done; gives the first error.
    fn empty(&mut self, directory: BorrowedFd<'_>, depth: usize) -> rustix::io::Result<()> {
        let mut result = Ok(());
        let mut listing = Dir::read_from(directory)?;
        while let Some(entry) = listing.read() {
            let entry = entry?;
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") {
                let is_directory = entry.file_type() == FileType::Directory;
                result = result.and(self.remove(directory, name, is_directory, depth));
            }
        }
        result
    }

    fn remove(
        &mut self,
        directory: BorrowedFd<'_>,
        name: &CStr,
        is_directory: bool,
        depth: usize,
    ) -> rustix::io::Result<()> {
        if !is_directory && unlink(directory, name)? {
            return Ok(());
        }
        if depth == DEEP {
            return move_up(self.top, directory, name, &mut self.moved);
        }
        let below = match open(directory, name) {
            Err(Errno::NOENT) => return Ok(()),
            below => below?,
        };
        let emptied = self.empty(below.as_fd(), depth + 1);
        // Not empty when something was put into it meanwhile: the caller's next round, or its error, sees to it.
        emptied.and(gone(unlinkat(directory, name, AtFlags::REMOVEDIR)))
    }
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
    fn an_obstacle_keeps_nothing_else() {
        let home = tempfile::tempdir().expect("temporary directory");
        let tree = home.path().join("tree");
        for name in ["a", "b", "c"] {
            fs::create_dir_all(tree.join(name).join("below")).expect("made");
            fs::write(tree.join(name).join("file"), "x").expect("written");
        }
        let flag = |flag| {
            let done = std::process::Command::new("chattr")
                .arg(flag)
                .arg(tree.join("b"))
                .status();
            done.is_ok_and(|status| status.success())
        };
        if !flag("+i") {
            return; // not root, or a file system without such flags
        }
        let result = remove(home.path(), "tree");
        assert!(flag("-i"));
        assert!(result.is_err());
        assert!(
            !tree.join("a").exists() && tree.join("b/file").exists() && !tree.join("c").exists()
        );
        remove(home.path(), "tree").expect("removed");
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
