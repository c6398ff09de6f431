//! Network class and priorities, which only version 1 has.

use super::nonzero;
use crate::{Cgroup, Error, Network, Result, dir::Dir};

pub(super) fn set(group: &Cgroup, network: &Network) -> Result<()> {
    if let Some(class) = nonzero(network.class_id) {
        let dir = controller(group, "network.classID", "net_cls")?;
        dir.write("net_cls.classid", &class.to_string())?;
    }
    for entry in &network.priorities {
        let dir = controller(group, "network.priorities", "net_prio")?;
        dir.write(
            "net_prio.ifpriomap",
            &format!("{} {}", entry.name, entry.priority),
        )?;
    }
    Ok(())
}

fn controller<'a>(group: &'a Cgroup, key: &'static str, name: &str) -> Result<&'a Dir> {
    match group.v1(name) {
        Some(dir) => Ok(dir),
        None if group.has_v1() => Err(Error::Unavailable {
            key: key.to_owned(),
            controller: name.to_owned(),
        }),
        None => Err(Error::Unsupported { key, version: "v2" }),
    }
}
