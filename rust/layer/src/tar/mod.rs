//! The archive format: entries in, entries out. Nothing here touches a file system.

mod block;
mod entry;
mod fields;
#[cfg(test)]
mod forged;
mod pax;
mod reader;
mod sparse;
mod writer;

pub use entry::{Entry, Extent, Kind, Sparse, Time};
pub use reader::Reader;
pub use writer::Writer;
