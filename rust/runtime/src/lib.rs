//! An OCI runtime bundle made into a running process.
//!
//! [`create`] makes a container up to the point where only its program is missing; [`Created::start`] lets it run. A container made
//! earlier, by whichever process, is a [`Container`]: one file for each thing that can be done with it.
//!
//! The calling process must have one thread: children are cloned, not spawned.
#![forbid(unsafe_code)]

pub mod clock;
mod container;
mod create;
mod delete;
mod error;
mod exec;
mod hooks;
mod identity;
mod init;
mod kill;
mod namespace;
mod options;
mod pause;
mod process;
mod procfs;
mod ps;
pub mod reaper;
pub mod reexec;
pub mod rootfs;
pub mod spec;
mod start;
mod state;
mod sync;
mod talk;
mod update;
mod userns;

pub use container::Container;
pub use create::{Created, create};
pub use error::{Error, Kind, Result};
pub use identity::Identity;
pub use options::{Child, CreateOptions, ExecOptions, Gate};
pub use process::{capability::capability_names, notify::seccomp_flags};
pub use rootfs::{Overlay, mount_option_names};
pub use state::{FILE as STATE_FILE, Oci, Record, Status, check_id};
pub use sync::send_fd;
