//! Bytes on their way to the parser: read, decompressed, hashed, cancellable.

mod cancel;
mod decompress;
mod digest;
mod output;
mod pipeline;

pub use cancel::Cancel;
pub use decompress::Compression;
pub use digest::{Digest, Hasher};
pub use output::Output;
pub(crate) use pipeline::failed;
pub use pipeline::{ChunkReader, StreamInfo, read_through};
