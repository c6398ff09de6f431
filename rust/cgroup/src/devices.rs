//! Which devices a group may use: files on version 1, a small program in the kernel on version 2.

mod ebpf;
mod policy;
mod v1;

use pyctr_sys::bpf;
use rustix::io::Errno;

use crate::{Cgroup, DeviceKind, DeviceRule, Error, Result};

/// Devices that every container may use, whatever its rules: creating nodes (which says nothing about opening them),
/// null, zero, full, random, urandom, tty, ptmx, the pseudo-terminals and tun. The list of runc and Docker.
pub fn default_devices() -> Vec<DeviceRule> {
    let rule = |kind, major, minor, access: &str| DeviceRule {
        allow: true,
        kind: Some(kind),
        major,
        minor,
        access: Some(access.to_owned()),
    };
    let nodes = [DeviceKind::Char, DeviceKind::Block].map(|kind| rule(kind, None, None, "m"));
    let char = |(major, minor)| rule(DeviceKind::Char, Some(major), minor, "rwm");
    let devices = [
        (1, Some(3)),
        (1, Some(5)),
        (1, Some(7)),
        (1, Some(8)),
        (1, Some(9)),
        (5, Some(0)),
        (5, Some(2)),
        (10, Some(200)),
        (136, None),
    ];
    nodes.into_iter().chain(devices.map(char)).collect()
}

/// Sets the rules, and [`default_devices`] after them. Everything that no rule speaks of is forbidden.
pub(crate) fn set(group: &Cgroup, rules: &[DeviceRule]) -> Result<()> {
    let rules: Vec<DeviceRule> = rules.iter().cloned().chain(default_devices()).collect();
    let done = match (group.v1("devices"), group.unified()) {
        (Some(dir), _) => v1::set(dir, &rules),
        (None, Some(unified)) if !group.has_v1() => attach(group, &unified.dir, &rules),
        _ => Err(Error::Unavailable {
            key: "devices".to_owned(),
            controller: "devices".to_owned(),
        }),
    };
    match done {
        // In a user namespace the kernel lets nobody make or open a device that the host did not hand in.
        Err(error)
            if (error.is_permission() || matches!(error, Error::Unavailable { .. }))
                && in_user_namespace() =>
        {
            Ok(())
        }
        other => other,
    }
}

fn attach(group: &Cgroup, dir: &crate::dir::Dir, rules: &[DeviceRule]) -> Result<()> {
    let program = ebpf::program(rules)?;
    bpf::set_cgroup_device_program(dir, &program)
        .map_err(|errno: Errno| Error::io("set the device program of", group.path(), errno))
}

fn in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"]
}
