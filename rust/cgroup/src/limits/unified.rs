//! Files of version 2, written word for word.

use std::collections::BTreeMap;

use crate::{Cgroup, Error, Result};

pub(super) fn set(group: &Cgroup, files: &BTreeMap<String, String>) -> Result<()> {
    for (file, value) in files {
        if file.contains('/') || !file.contains('.') {
            let reason = format!("{file:?} is no file name such as memory.high");
            return Err(Error::Invalid {
                key: "unified",
                reason,
            });
        }
        let Some(unified) = group.unified() else {
            return Err(Error::Unsupported {
                key: "unified",
                version: "v1",
            });
        };
        if !unified.dir.exists(file) {
            let controller = file.split('.').next().unwrap_or(file).to_owned();
            if group.has_v1() {
                let reason = format!(
                    "invalid configuration: {file} is not there, as {controller} is not a controller of version 2 here"
                );
                return Err(Error::Invalid {
                    key: "unified",
                    reason,
                });
            }
            return Err(Error::Unavailable {
                key: format!("unified {file}"),
                controller,
            });
        }
        // Some files take one line at a time.
        for line in value.lines() {
            unified.dir.write(file, line)?;
        }
    }
    Ok(())
}
