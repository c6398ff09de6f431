//! Making a group's directories, and making its parents ready to have children.

use std::{
    fs::remove_dir,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{self, Access, AtFlags, CWD, Mode},
    io::Errno,
    process::geteuid,
};

use crate::{Error, Result, dir::Dir, layout::Hierarchy, path::Location};

/// Where the processes go that stand in the way of our own group having children with controllers.
const EVACUATION: &str = "init";
/// Two processes may make and remove the same parent; this often the loser tries again.
const ATTEMPTS: u32 = 5;

/// Makes the group in one hierarchy. The flag says whether it is new.
pub(crate) fn group(hierarchy: &Hierarchy, location: &Location) -> Result<(Dir, bool)> {
    let base = base(hierarchy, location);
    let tail = tail(location);
    let leaf = base.join(tail);
    let fresh = make(hierarchy, &base, tail)?;
    let dir = Dir::open(leaf.clone())?;
    let ready = if hierarchy.is_v2() {
        enable_controllers(hierarchy, &dir, &base, tail)
    } else if hierarchy.has("cpuset") {
        inherit_cpuset(&dir)
    } else {
        Ok(())
    };
    match ready {
        Ok(()) => Ok((dir, fresh)),
        Err(error) if fresh => Err(undo(&[leaf], error)),
        Err(error) => Err(error),
    }
}

/// Removes what was made before `error` came, which is given back.
pub(crate) fn undo(made: &[PathBuf], error: Error) -> Error {
    for path in made {
        // The first error is the one to tell; a directory that cannot be removed is empty and does no harm.
        let _ = remove_dir(path);
    }
    error
}

/// The group's directory in one hierarchy.
pub(crate) fn place(hierarchy: &Hierarchy, location: &Location) -> PathBuf {
    base(hierarchy, location).join(tail(location))
}

fn tail(location: &Location) -> &Path {
    match location {
        Location::Absolute(path) | Location::Relative(path) => path,
    }
}

/// The directory that a location counts from.
fn base(hierarchy: &Hierarchy, location: &Location) -> PathBuf {
    let own = hierarchy.mount.join(&hierarchy.own);
    match location {
        // Our own version 2 group holds us, so it cannot have children with controllers; its parent can.
        Location::Relative(_) if hierarchy.is_v2() => hierarchy
            .mount
            .join(hierarchy.own.parent().unwrap_or(Path::new(""))),
        Location::Relative(_) => own,
        Location::Absolute(_) if hierarchy.is_v2() && !geteuid().is_root() => delegated(hierarchy),
        Location::Absolute(_) => hierarchy.mount.clone(),
    }
}

/// The top of what an ordinary user may change: the highest group above us that is writable, or the mount point.
fn delegated(hierarchy: &Hierarchy) -> PathBuf {
    let writable =
        |path: &Path| fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    let mut path = hierarchy.mount.clone();
    let mut parts = hierarchy.own.iter();
    while !writable(&path) {
        match parts.next() {
            Some(part) => path.push(part),
            None => return hierarchy.mount.clone(),
        }
    }
    path
}

/// Makes `base/tail`, and what lies between only if it is missing. Gives whether the last directory is new.
fn make(hierarchy: &Hierarchy, base: &Path, tail: &Path) -> Result<bool> {
    let leaf = base.join(tail);
    for _ in 0..ATTEMPTS {
        match fs::mkdir(&leaf, Mode::from_raw_mode(0o755)) {
            Ok(()) => return Ok(true),
            Err(Errno::EXIST) => return Ok(false),
            Err(Errno::NOENT) => make_parents(hierarchy, base, tail)?,
            Err(errno) => return Err(Error::io("make cgroup", leaf, errno)),
        }
    }
    Err(Error::io("make cgroup", leaf, Errno::NOENT))
}

fn make_parents(hierarchy: &Hierarchy, base: &Path, tail: &Path) -> Result<()> {
    for path in between(base, tail).skip(1) {
        match fs::mkdir(&path, Mode::from_raw_mode(0o755)) {
            Err(Errno::EXIST) => {}
            Ok(()) if hierarchy.has("cpuset") => {
                let dir = Dir::open(path)?;
                inherit_cpuset(&dir)?;
                // From now on the kernel does the same for the children, which saves four files for each container.
                let _ = dir.write("cgroup.clone_children", "1");
            }
            Ok(()) => {}
            Err(errno) => return Err(Error::io("make cgroup", path, errno)),
        }
    }
    Ok(())
}

/// `base` and every directory between it and the last one of `tail`, which is not included.
fn between<'a>(base: &'a Path, tail: &'a Path) -> impl Iterator<Item = PathBuf> + 'a {
    let mut parents: Vec<&Path> = tail.ancestors().skip(1).collect();
    parents.reverse();
    parents.into_iter().map(move |part| base.join(part))
}

/// A version 1 cpuset starts empty and takes no process before it has processors and memory nodes.
fn inherit_cpuset(dir: &Dir) -> Result<()> {
    // With clone_children the kernel has filled in both files.
    if !dir.read("cpuset.cpus")?.is_empty() && !dir.read("cpuset.mems")?.is_empty() {
        return Ok(());
    }
    let Some(above) = dir.path().parent() else {
        return Ok(());
    };
    // Somebody may have made the parent and left it empty; the top never is.
    let parent = Dir::open(above.to_owned())?;
    if parent.read("cpuset.cpus").is_ok_and(|cpus| cpus.is_empty()) {
        inherit_cpuset(&parent)?;
    }
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if dir.read(file)?.is_empty() {
            dir.write(file, &parent.read(file)?)?;
        }
    }
    Ok(())
}

/// Sees to it that a version 2 group gets every controller its base has.
///
/// A controller that cannot be had is no error here: a limit that needs it says so when it is set.
fn enable_controllers(hierarchy: &Hierarchy, leaf: &Dir, base: &Path, tail: &Path) -> Result<()> {
    let wanted = Dir::open(base.to_owned())?.read("cgroup.controllers")?;
    if missing(&wanted, &leaf.read("cgroup.controllers")?).is_empty() {
        return Ok(());
    }
    for path in between(base, tail) {
        let dir = Dir::open(path)?;
        let missing = missing(&wanted, &dir.read("cgroup.subtree_control")?);
        if missing.is_empty() {
            continue;
        }
        let together: String = missing.iter().map(|name| format!("+{name} ")).collect();
        match dir.write("cgroup.subtree_control", together.trim_end()) {
            Ok(()) => continue,
            // The rule of no internal processes: here they are we, and we may move.
            Err(error)
                if error.errno() == Some(Errno::BUSY)
                    && dir.path() == hierarchy.mount.join(&hierarchy.own) =>
            {
                evacuate(&dir)?;
            }
            Err(_) => {}
        }
        for name in missing {
            let _ = dir.write("cgroup.subtree_control", &format!("+{name}"));
        }
    }
    Ok(())
}

fn missing<'a>(wanted: &'a str, have: &str) -> Vec<&'a str> {
    wanted
        .split_whitespace()
        .filter(|name| !have.split_whitespace().any(|other| other == *name))
        .collect()
}

/// Moves every process of our own group into a child, as it must be in a container whose top group holds its processes.
fn evacuate(dir: &Dir) -> Result<()> {
    match fs::mkdirat(dir, EVACUATION, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(Error::io("make cgroup", dir.path().join(EVACUATION), errno)),
    }
    let child = dir.child(EVACUATION)?;
    for pid in dir.read("cgroup.procs")?.lines() {
        match child.write("cgroup.procs", pid) {
            Err(error) if error.errno() != Some(Errno::SRCH) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
