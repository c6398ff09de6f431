//! Bind mounts of what a process in another mount namespace sees, like the `/dev/shm` that a container shares. The kernel copies
//! mounts of the caller's own namespace only, so the caller goes there and comes back.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use pyctr_sys::{
    mount::clone_mount,
    root::{Links, Root},
};
use rustix::{
    fs::{Mode, OFlags, open},
    process::{chroot, fchdir},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use super::Depth;

/// A detached copy of what is at `path`, which is `/proc/PID/root/…`, in the namespace of that process. None for any other path.
///
/// The process must have one thread, or have its own root and working directory.
pub(super) fn clone(path: &Path, depth: Depth) -> Option<io::Result<OwnedFd>> {
    let (namespace, inside) = split(path)?;
    Some(copy(&namespace, &inside, depth))
}

/// The file of the mount namespace, and the path in it.
fn split(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut parts = path.strip_prefix("/proc").ok()?.components();
    let pid = parts.next()?.as_os_str();
    let is_pid = pid.to_str()?.bytes().all(|byte| byte.is_ascii_digit());
    if !is_pid || parts.next()?.as_os_str() != "root" {
        return None;
    }
    let namespace = Path::new("/proc").join(pid).join("ns/mnt");
    Some((namespace, parts.as_path().to_owned()))
}

fn copy(namespace: &Path, inside: &Path, depth: Depth) -> io::Result<OwnedFd> {
    let hold = |path: &Path, flags| open(path, flags | OFlags::CLOEXEC, Mode::empty());
    let there = hold(namespace, OFlags::RDONLY)?;
    let here = hold(Path::new("/proc/self/ns/mnt"), OFlags::RDONLY)?;
    let root = hold(Path::new("/"), OFlags::PATH)?;
    let directory = hold(Path::new("."), OFlags::PATH)?;
    enter(&there)?;
    let copied = Root::open_dir("/")
        .and_then(|root| root.place(inside, Links::Refuse))
        .and_then(|place| clone_mount(place, depth == Depth::Tree));
    let back = enter(&here)
        .and_then(|()| fchdir(&root))
        .and_then(|()| chroot("."))
        .and_then(|()| fchdir(&directory));
    if back.is_err() {
        // Whatever we did next would be done to the files of another container.
        std::process::abort();
    }
    copied
}

fn enter(namespace: &OwnedFd) -> rustix::io::Result<()> {
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Mount))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::split;

    #[test]
    fn only_roots_of_processes_are_foreign() {
        let (namespace, inside) = split(Path::new("/proc/7/root/dev/shm")).expect("foreign");
        assert_eq!(namespace, Path::new("/proc/7/ns/mnt"));
        assert_eq!(inside, Path::new("dev/shm"));
        for path in [
            "/dev/shm",
            "/proc/self/root/x",
            "/proc/7/cwd",
            "/proc/7",
            "proc/7/root",
        ] {
            assert!(split(Path::new(path)).is_none(), "{path}");
        }
    }
}
