//! What this machine can limit.

use std::collections::BTreeSet;

use crate::{Result, Version, dir::Dir, layout::Layout};

/// The machine's control groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Which generation is mounted.
    pub version: Version,
    /// Controllers that may be used, by their names in the version that carries them (`blkio` or `io`).
    ///
    /// `devices` and `freezer`, which version 2 has built in, are always named.
    pub controllers: BTreeSet<String>,
    /// Whether swap can be limited.
    pub swap: bool,
}

impl Info {
    /// Looks at this machine.
    ///
    /// # Errors
    /// [`Error::NoHierarchy`], and when `/proc` cannot be read.
    pub fn read() -> Result<Self> {
        Self::of(Layout::host()?)
    }

    fn of(layout: &Layout) -> Result<Self> {
        let version = layout.version();
        let mut controllers = BTreeSet::new();
        let mut swap = false;
        for hierarchy in &layout.hierarchies {
            // The top group of version 2 has no memory files of its own; our group has them if we are in one.
            let dir = Dir::open(hierarchy.mount.join(&hierarchy.own))
                .or_else(|_| Dir::open(hierarchy.mount.clone()))?;
            if hierarchy.is_v2() {
                let text = Dir::open(hierarchy.mount.clone())?.read("cgroup.controllers")?;
                controllers.extend(text.split_whitespace().map(str::to_owned));
                swap |= dir.exists("memory.swap.max")
                    || (text.contains("memory") && kernel_counts_swap());
            } else {
                // A named hierarchy only groups processes.
                controllers.extend(
                    hierarchy
                        .name
                        .split(',')
                        .filter(|name| !name.contains('='))
                        .map(str::to_owned),
                );
                swap |= dir.exists("memory.memsw.limit_in_bytes");
            }
        }
        if version == Version::V2 {
            controllers.extend(["devices", "freezer"].map(str::to_owned));
        }
        Ok(Self {
            version,
            controllers,
            swap,
        })
    }
}

/// At the top of version 2 there is no file to look for: swap is counted unless the boot line says no.
fn kernel_counts_swap() -> bool {
    let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    std::path::Path::new("/proc/swaps").exists()
        && !line.split_whitespace().any(|word| word == "swapaccount=0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn this_machine() {
        let info = match Info::read() {
            Err(Error::NoHierarchy) => return,
            info => info.expect("it can be looked at"),
        };
        assert!(
            !info
                .controllers
                .iter()
                .any(|name| name.is_empty() || name.contains('=')),
            "{info:?}"
        );
    }
}
