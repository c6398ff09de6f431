//! `pyctr._core`: the Rust half as a Python module.
#![forbid(unsafe_code)]

use pyo3::prelude::*;

/// The Rust half of pyctr.
#[pymodule]
mod _core {
    use super::*;

    /// The version of the wheel.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
