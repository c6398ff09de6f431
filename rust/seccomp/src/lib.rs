//! The OCI seccomp language compiled to BPF.
//!
//! [`Profile`] is the `linux.seccomp` object of `config.json`, [`compile`] makes a [`Filter`] of it, and
//! [`Filter::load`] installs that.
#![forbid(unsafe_code)]

mod abi;
mod assemble;
mod compile;
mod error;
mod profile;
mod rules;
mod table;
#[cfg(test)]
mod tests;

pub use abi::Machine;
pub use compile::{Filter, compile, compile_for};
pub use error::Error;
pub use profile::{Action, Arch, Condition, Flag, Op, Profile, Rule};
