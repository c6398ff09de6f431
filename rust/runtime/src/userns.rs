//! The maps of a new user namespace, written from outside.

use std::process::Command;

use rustix::{
    io::Errno,
    process::{Pid, getegid, geteuid},
};

use crate::{
    error::{Context, Error, Result},
    procfs::Procfs,
    spec::{IdMapping, Linux},
};

/// Writes the maps of the user namespace that `pid` was born in.
pub(crate) fn write_maps(procfs: &Procfs, pid: Pid, linux: &Linux) -> Result<()> {
    let dir = pid.as_raw_nonzero().to_string();
    match procfs.write(format!("{dir}/uid_map"), &text(&linux.uid_mappings)) {
        Ok(()) => {
            return procfs
                .write(format!("{dir}/gid_map"), &text(&linux.gid_mappings))
                .context(|| "cannot write the gid map of the user namespace");
        }
        Err(Errno::PERM) if !geteuid().is_root() => {}
        Err(errno) => {
            return Err(errno).context(|| "cannot write the uid map of the user namespace");
        }
    }
    if is_only(&linux.uid_mappings, geteuid().as_raw())
        && is_only(&linux.gid_mappings, getegid().as_raw())
    {
        // Whoever may leave groups could get at files that exclude the group.
        procfs
            .write(format!("{dir}/setgroups"), "deny")
            .context(|| "cannot forbid setgroups in the user namespace")?;
        procfs
            .write(format!("{dir}/gid_map"), &text(&linux.gid_mappings))
            .context(|| "cannot write the gid map of the user namespace")?;
        return procfs
            .write(format!("{dir}/uid_map"), &text(&linux.uid_mappings))
            .context(|| "cannot write the uid map of the user namespace");
    }
    helper("newuidmap", &dir, &linux.uid_mappings)?;
    helper("newgidmap", &dir, &linux.gid_mappings)
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
