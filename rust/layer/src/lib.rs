//! tar archives to directories and back, safe against hostile input
#![forbid(unsafe_code)]

mod apply;
mod changes;
mod copy;
mod error;
mod look;
mod meta;
mod node;
mod pack;
mod path;
mod remove;
pub mod stream;
pub mod tar;
mod usage;

pub use apply::{Applied, ApplyOptions, IdRange, Limits, Owners, Whiteouts, apply};
pub use changes::{Change, Kind as ChangeKind, overlay_changes, tree_changes};
pub use copy::copy_tree;
pub use error::{Error, Result};
pub use pack::{PackOptions, Packed, pack};
pub use remove::remove_tree;
pub use usage::{Usage, usage};
