//! An OCI runtime bundle made into a running process.
#![forbid(unsafe_code)]

pub mod spec;
