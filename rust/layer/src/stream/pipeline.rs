//! The way from a descriptor to the parser: read and decompress on one thread, hash on another, parse on the
//! caller's. Buffers go round, so that memory stays the same however long the stream is.

use std::{
    io::{self, BufRead, Read},
    os::fd::BorrowedFd,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
};

use rustix::event::PollFlags;

use super::{Cancel, Compression, Digest, Hasher};
use crate::{Error, Result};

/// Bytes handed over at a time: large enough to make the hand-over cheap, small enough to stay in the cache.
const CHUNK: usize = 256 << 10;
/// Bytes that may follow the end of an archive, or of its compressed form: padding, which writers round up to a megabyte
/// at most. An input that never ends is none.
const TRAILING: u64 = 64 << 20;
/// Chunks that may wait between two threads.
const DEPTH: usize = 4;

type Chunk = io::Result<Vec<u8>>;

/// What was learnt of a stream on the way.
#[derive(Debug, Clone, Copy)]
pub struct StreamInfo {
    /// How it was compressed.
    pub compression: Compression,
    /// SHA-256 of the bytes as they came, to the end of the file.
    pub digest: Digest,
    /// How many they were.
    pub compressed_size: u64,
    /// SHA-256 of the uncompressed bytes: a layer's diffID.
    pub diff_id: Digest,
    /// How many they were.
    pub size: u64,
}

/// Run `consume` over the decompressed bytes of `input`, then read on to the end of the file for the digests.
///
/// # Errors
///
/// Whatever `consume` answers; [`Error::Damaged`] for a stream that cannot be decompressed; [`Error::Io`] for one
/// that cannot be read; [`Error::Cancelled`]. An error stops `cancel`.
pub fn read_through<T>(
    input: BorrowedFd<'_>,
    cancel: &Cancel,
    consume: impl FnOnce(&mut ChunkReader) -> Result<T>,
) -> Result<(T, StreamInfo)> {
    thread::scope(|scope| {
        let (filled, to_hash) = sync_channel::<Chunk>(DEPTH);
        let (hashed, to_parse) = sync_channel::<Chunk>(DEPTH);
        let (empty, to_fill) = channel::<Vec<u8>>();
        let decoding = scope.spawn(move || decode(input, cancel, &filled, &to_fill));
        let hashing = scope.spawn(move || hash(&to_hash, &hashed));
        let mut reader = ChunkReader {
            chunks: to_parse,
            empty,
            chunk: Vec::new(),
            at: 0,
        };
        let outcome = consume(&mut reader).and_then(|value| reader.drain().map(|()| value));
        if outcome.is_err() {
            cancel.stop();
        }
        drop(reader);
        let source = decoding
            .join()
            .map_err(|_| Error::Damaged("the decompressor failed".into()))?;
        let (diff_id, size) = hashing
            .join()
            .map_err(|_| Error::Damaged("the hasher failed".into()))?;
        let value = outcome?;
        let (compression, compressed) = source.map_err(|error| failed(&error))?;
        let (digest, compressed_size) = compressed.unwrap_or((diff_id, size));
        Ok((
            value,
            StreamInfo {
                compression,
                digest,
                compressed_size,
                diff_id,
                size,
            },
        ))
    })
}

/// The first thread: gives the compression and the digest of the compressed bytes, if they are other bytes.
fn decode(
    fd: BorrowedFd<'_>,
    cancel: &Cancel,
    filled: &SyncSender<Chunk>,
    to_fill: &Receiver<Vec<u8>>,
) -> io::Result<(Compression, Option<(Digest, u64)>)> {
    let outcome = try_decode(fd, cancel, filled, to_fill);
    if let Err(error) = &outcome {
        // The parser must hear of it too: without this it would see an early end.
        let _ = filled.send(Err(copy_of(error)));
    }
    outcome
}

fn try_decode(
    fd: BorrowedFd<'_>,
    cancel: &Cancel,
    filled: &SyncSender<Chunk>,
    to_fill: &Receiver<Vec<u8>>,
) -> io::Result<(Compression, Option<(Digest, u64)>)> {
    let mut input = Input {
        fd,
        cancel,
        hasher: None,
    };
    let mut start = Vec::with_capacity(Compression::MAGIC);
    input
        .by_ref()
        .take(Compression::MAGIC as u64)
        .read_to_end(&mut start)?;
    let compression = Compression::detect(&start);
    if compression != Compression::None {
        let mut hasher = Hasher::default();
        hasher.update(&start);
        input.hasher = Some(hasher);
    }
    let mut decoder = compression.decode((&start[..]).chain(&mut input))?;
    loop {
        let mut chunk = to_fill.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let length = fill(&mut decoder, &mut chunk)?;
        chunk.truncate(length);
        let last = length < CHUNK;
        if filled.send(Ok(chunk)).is_err() || last {
            break;
        }
    }
    drop(decoder);
    // What follows the compressed stream is no content, and still part of the blob that the digest names.
    if io::copy(&mut input.by_ref().take(TRAILING + 1), &mut io::sink())? > TRAILING {
        return Err(io::Error::other(endless()));
    }
    Ok((compression, input.hasher.map(Hasher::finish)))
}

/// The second thread.
fn hash(to_hash: &Receiver<Chunk>, hashed: &SyncSender<Chunk>) -> (Digest, u64) {
    let mut hasher = Hasher::default();
    for chunk in to_hash {
        if let Ok(data) = &chunk {
            hasher.update(data);
        }
        if hashed.send(chunk).is_err() {
            break;
        }
    }
    hasher.finish()
}

/// Read until `buffer` is full or the input ends; gives how much was read.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The caller's descriptor, which may be a pipe that nobody writes to.
struct Input<'a> {
    fd: BorrowedFd<'a>,
    cancel: &'a Cancel,
    hasher: Option<Hasher>,
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.cancel.wait(self.fd, PollFlags::IN)? {
                return Err(io::Error::other(Error::Cancelled));
            }
            match rustix::io::read(self.fd, &mut *buffer) {
                Ok(count) => {
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(&buffer[..count]);
                    }
                    return Ok(count);
                }
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The decompressed bytes, on the parser's side.
pub struct ChunkReader {
    chunks: Receiver<Chunk>,
    empty: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
}

impl ChunkReader {
    fn drain(&mut self) -> Result<()> {
        let mut passed = 0;
        loop {
            let length = self.fill_buf().map_err(|error| failed(&error))?.len();
            if length == 0 {
                return Ok(());
            }
            passed += length as u64;
            if passed > TRAILING {
                return Err(endless());
            }
            self.consume(length);
        }
    }
}

impl BufRead for ChunkReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.chunk.len() {
            let Ok(next) = self.chunks.recv() else { break };
            let used = std::mem::replace(&mut self.chunk, next?);
            self.at = 0;
            // Nobody to take it back means that the input has ended.
            let _ = self.empty.send(used);
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = self.chunk.len().min(self.at + amount);
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let data = self.fill_buf()?;
        let count = data.len().min(buffer.len());
        buffer[..count].copy_from_slice(&data[..count]);
        self.consume(count);
        Ok(count)
    }
}

fn endless() -> Error {
    let limit = TRAILING >> 20;
    Error::Refused(format!(
        "more than {limit} MiB follow the end of the archive"
    ))
}

/// An error of the stream, told apart: ours carried through, the format's, the system's.
pub(crate) fn failed(error: &io::Error) -> Error {
    let ours = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match ours {
        Some(Error::Cancelled) => return Error::Cancelled,
        Some(Error::Refused(reason)) => return Error::Refused(reason.clone()),
        _ => {}
    }
    if error.raw_os_error().is_some() {
        return Error::io("read", b"the archive", copy_of(error));
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::Damaged("the archive ends too early".into()),
        _ => Error::Damaged(format!("the archive cannot be decompressed: {error}")),
    }
}

/// `io::Error` cannot be cloned, and two threads need to know.
fn copy_of(error: &io::Error) -> io::Error {
    if let Some(code) = error.raw_os_error() {
        return io::Error::from_raw_os_error(code);
    }
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(Error::Cancelled) => io::Error::other(Error::Cancelled),
        Some(Error::Refused(reason)) => io::Error::other(Error::Refused(reason.clone())),
        _ => io::Error::new(error.kind(), error.to_string()),
    }
}
