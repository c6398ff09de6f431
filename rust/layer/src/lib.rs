//! tar archives to directories and back, safe against hostile input
#![forbid(unsafe_code)]

mod apply;
mod error;
mod meta;
mod node;
mod path;
mod remove;
pub mod stream;
pub mod tar;

pub use apply::{Applied, ApplyOptions, IdRange, Limits, Owners, Whiteouts, apply};
pub use error::{Error, Result};
pub use remove::remove_tree;
