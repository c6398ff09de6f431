//! RDMA handles and objects.

use std::collections::BTreeMap;

use crate::{Cgroup, Rdma, Result, cgroup::Place};

pub(super) fn set(group: &Cgroup, limits: &BTreeMap<String, Rdma>) -> Result<()> {
    for (device, limit) in limits {
        let (Place::V1(dir) | Place::V2(dir)) = group.need("rdma", "rdma", "rdma")?;
        let mut line = device.clone();
        for (word, value) in [
            ("hca_handle", limit.hca_handles),
            ("hca_object", limit.hca_objects),
        ] {
            if let Some(value) = value {
                line.push_str(&format!(" {word}={value}"));
            }
        }
        dir.write("rdma.max", &line)?;
    }
    Ok(())
}
