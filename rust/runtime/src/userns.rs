//! The maps of a new user namespace, written from outside.

use std::{fs, process::Command};

use rustix::process::{Pid, getegid, geteuid};

use crate::{
    error::{Context, Error, Result},
    procfs::Procfs,
    spec::{IdMapping, Linux, NamespaceType},
};

/// Writes the maps of the user namespace that `pid` was born in.
pub(crate) fn write_maps(procfs: &Procfs, pid: Pid, linux: &Linux) -> Result<()> {
    let dir = pid.as_raw_nonzero().to_string();
    let write = |file: &str, text: &str| {
        let what = || format!("cannot write the {file} of the user namespace");
        procfs.write(format!("{dir}/{file}"), text).context(what)
    };
    let (uids, gids) = (&linux.uid_mappings, &linux.gid_mappings);
    let root = geteuid().is_root();
    if root || is_only(uids, geteuid().as_raw()) {
        write("uid_map", &text(uids))?;
    } else {
        helper("newuidmap", &dir, uids)?;
    }
    if root {
        return write("gid_map", &text(gids));
    }
    if !is_only(gids, getegid().as_raw()) {
        return helper("newgidmap", &dir, gids);
    }
    // Whoever may leave groups could get at files that exclude the group.
    write("setgroups", "deny")?;
    write("gid_map", &text(gids))
}

/// Gives a new user namespace without maps those of the caller's own, where that is root: everybody is there under the same id,
/// without rights outside.
pub(crate) fn fill_maps(linux: &mut Linux) -> Result<()> {
    let new = linux.has_new(NamespaceType::User);
    if !new || !geteuid().is_root() {
        return Ok(());
    }
    for (maps, file) in [
        (&mut linux.uid_mappings, "/proc/self/uid_map"),
        (&mut linux.gid_mappings, "/proc/self/gid_map"),
    ] {
        if maps.is_empty() {
            let text = fs::read_to_string(file).context(|| format!("cannot read {file}"))?;
            maps.extend(text.lines().filter_map(same));
        }
    }
    Ok(())
}

/// The ids of a line `INSIDE OUTSIDE SIZE`, mapped to themselves.
fn same(line: &str) -> Option<IdMapping> {
    let mut numbers = line.split_whitespace().map(|text| text.parse().ok());
    let (first, _, size) = (numbers.next()??, numbers.next()?, numbers.next()??);
    Some(IdMapping {
        container_id: first,
        host_id: first,
        size,
    })
}

/// The content of `uid_map` or `gid_map`.
fn text(maps: &[IdMapping]) -> String {
    maps.iter()
        .map(|map| format!("{} {} {}\n", map.container_id, map.host_id, map.size))
        .collect()
}

fn is_only(maps: &[IdMapping], own: u32) -> bool {
    matches!(maps, [map] if map.host_id == own && map.size == 1)
}

/// Asks the set-uid helper of the shadow suite, which looks at `/etc/subuid`.
fn helper(name: &str, pid: &str, maps: &[IdMapping]) -> Result<()> {
    let mut command = Command::new(name);
    command.arg(pid);
    for map in maps {
        command.args([map.container_id, map.host_id, map.size].map(|number| number.to_string()));
    }
    pyctr_sys::signals::unblock_for(&mut command);
    let output = command.output().context(|| format!("cannot run {name}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::setup(
        name,
        if said.is_empty() {
            output.status.to_string()
        } else {
            said
        },
    ))
}
