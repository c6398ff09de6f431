//! The OCI seccomp language compiled to BPF.
//!
//! [`Profile`] is the `linux.seccomp` object of `config.json`.
#![forbid(unsafe_code)]

mod profile;

pub use profile::{Action, Arch, Condition, Flag, Op, Profile, Rule};
