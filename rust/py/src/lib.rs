//! `pyctr._core`: the Rust half as a Python module, one file per area.
//!
//! What crosses this border is plain data, bytes and file descriptors, never callbacks. Anything that blocks lets go of the
//! interpreter's lock. `python/pyctr/_core.pyi` describes the same functions for type checkers, and stubtest compares the two.
#![forbid(unsafe_code)]

mod cgroup;
mod interrupt;
mod layer;
mod locks;
mod rootfs;
mod spawn;

use pyo3::prelude::*;

/// The Rust half of pyctr.
#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::cgroup::{
        cgroup_freeze, cgroup_frozen, cgroup_info, cgroup_kill, cgroup_oom_kills, cgroup_pids,
        cgroup_remove, cgroup_stats, cgroup_thaw, cgroup_update,
    };
    #[pymodule_export]
    use crate::layer::{
        layer_apply, layer_changes, layer_pack, sha256, sync_filesystem, tree_changes, tree_copy,
        tree_remove, tree_usage,
    };
    #[pymodule_export]
    use crate::locks::{locks_held, wait_lock};
    #[pymodule_export]
    use crate::rootfs::{open_in_root, overlay_open};
    #[pymodule_export]
    use crate::spawn::spawn_shim;

    /// The version of the wheel.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
