//! The supervisor of one container, as a library.
//!
//! A supervisor reads a bundle, starts its container through `pyctr-runtime`, and from then on only polls: it passes the streams
//! on, writes the log, serves `shim.sock`, and writes the exit record. ARCHITECTURE.md describes its files and frames.
#![forbid(unsafe_code)]

pub mod config;
pub mod failure;
pub mod frame;
pub mod log;
pub mod oci;
pub mod record;

mod client;
mod container;
mod daemon;
mod listen;
mod lock;
mod request;
mod stdin;
mod streams;
mod supervisor;
mod task;

use std::{ffi::OsString, process::ExitCode};

use supervisor::Arguments;

/// `pyctr-shim shim ARGS`: supervise one container until it ends.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Arguments::parse(args) {
        Ok(arguments) => supervisor::run(&arguments),
        Err(error) => {
            eprintln!("pyctr-shim shim: {error}");
            eprintln!("usage: pyctr-shim shim --bundle DIR [--attach-fd N]");
            ExitCode::from(125)
        }
    }
}
