//! Reads an archive entry by entry; understands ustar, PAX, GNU and the old V7 form.

use std::io::{self, BufRead};

use super::{
    block::{self, BLOCK, Block, text},
    entry::{Entry, Kind, Sparse, Time},
    fields::{device, field, id, kind, signed},
    pax::{Extended, SparseKeys},
    sparse,
};
use crate::{Error, Result, stream};

/// Most bytes that the extended headers of one entry may have.
const MOST_EXTENDED: u64 = 1 << 20;

/// Blocks and bytes of the archive, counted for messages.
pub struct Source<R> {
    input: R,
    position: u64,
}

impl<R: BufRead> Source<R> {
    /// The next block; None at a clean end of the stream.
    pub fn block(&mut self) -> Result<Option<Block>> {
        let mut block = [0; BLOCK];
        let mut length = 0;
        while length < BLOCK {
            let data = self.fill()?;
            if data.is_empty() {
                return if length == 0 { Ok(None) } else { Err(cut()) };
            }
            let count = data.len().min(BLOCK - length);
            block[length..length + count].copy_from_slice(&data[..count]);
            length += count;
            self.consume(count);
        }
        Ok(Some(block))
    }

    fn fill(&mut self) -> Result<&[u8]> {
        // Asked twice because the borrow checker cannot yet return the first answer from within a loop.
        while let Err(error) = self.input.fill_buf() {
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(stream::failed(&error));
            }
        }
        self.input
            .fill_buf()
            .map_err(|error| stream::failed(&error))
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.position += count as u64;
    }
}

/// An archive being read.
pub struct Reader<R> {
    source: Source<R>,
    /// Bytes of the current entry not yet read.
    data: u64,
    /// Bytes of padding after them.
    padding: u64,
    seen: u64,
    complete: bool,
}

/// Headers that speak about the next entry.
#[derive(Default)]
struct Pending {
    extended: Extended,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    bytes: u64,
}

impl<R: BufRead> Reader<R> {
    /// Start at the beginning of `input`.
    pub fn new(input: R) -> Self {
        Self {
            source: Source { input, position: 0 },
            data: 0,
            padding: 0,
            seen: 0,
            complete: false,
        }
    }

    /// The next entry; what was not read of the last one's data is passed over. None at the end of the archive.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`], [`Error::Refused`] for a kind of entry that is not known, and those of the stream.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.skip_rest()?;
        let mut pending = Pending::default();
        loop {
            let start = self.source.position;
            let Some(block) = self.header(start)? else {
                let orphan = pending.bytes > 0;
                return if orphan { Err(cut()) } else { Ok(None) };
            };
            match block[block::KIND] {
                b'x' | b'X' => {
                    let data = self.extension(&block, &mut pending)?;
                    pending.extended.parse(&data)?;
                }
                b'L' => {
                    pending.long_name = Some(text(&self.extension(&block, &mut pending)?).to_vec())
                }
                b'K' => {
                    pending.long_link = Some(text(&self.extension(&block, &mut pending)?).to_vec())
                }
                // A global header (a comment of git's, mostly) and a volume label speak of no entry.
                b'g' | b'V' => {
                    self.extension(&block, &mut Pending::default())?;
                }
                _ => return self.entry(&block, pending).map(Some),
            }
        }
    }

    /// Whether the archive ended with its mark. Some writers leave it out, and so does a cut.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The next piece of the current entry's data; empty at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] when the archive ends before it, and those of the stream.
    pub fn data(&mut self) -> Result<&[u8]> {
        if self.data == 0 {
            return Ok(&[]);
        }
        let left = self.data;
        let piece = self.source.fill()?;
        if piece.is_empty() {
            return Err(cut());
        }
        let count = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        Ok(&piece[..count])
    }

    /// Say that `count` bytes of what [`Reader::data`] gave are done with.
    pub fn consume(&mut self, count: usize) {
        self.data -= count as u64;
        self.source.consume(count);
    }

    /// A header block that is not zero; None at the end of the archive.
    fn header(&mut self, start: u64) -> Result<Option<Block>> {
        let Some(block) = self.source.block()? else {
            return if start == 0 {
                Err(Error::Damaged("the archive is empty".into()))
            } else {
                Ok(None)
            };
        };
        if block == [0; BLOCK] {
            // Two make the end; some writers are content with one.
            self.complete = true;
            return match self.source.block()? {
                None => Ok(None),
                Some(second) if second == [0; BLOCK] => Ok(None),
                Some(_) => Err(Error::Damaged(format!(
                    "the archive has a stray zero block at byte {start}"
                ))),
            };
        }
        if block::checksum_holds(&block) {
            return Ok(Some(block));
        }
        Err(Error::Damaged(if self.seen == 0 && start == 0 {
            "not a tar archive, plain or compressed with gzip, zstd, xz or bzip2".into()
        } else {
            format!("the archive has a damaged header at byte {start}")
        }))
    }

    /// The data of an extension header.
    fn extension(&mut self, block: &Block, pending: &mut Pending) -> Result<Vec<u8>> {
        let size = field(block, block::SIZE, "size")?;
        // At least one, so that an orphan is known as such.
        pending.bytes += size.max(1);
        if pending.bytes > MOST_EXTENDED {
            let limit = MOST_EXTENDED >> 20;
            return Err(Error::Refused(format!(
                "the archive has an extended header of more than {limit} MiB"
            )));
        }
        self.expect_data(size)?;
        let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        loop {
            let piece = self.data()?;
            let count = piece.len();
            if count == 0 {
                break;
            }
            data.extend_from_slice(piece);
            self.consume(count);
        }
        self.skip_rest()?;
        Ok(data)
    }

    fn entry(&mut self, block: &Block, pending: Pending) -> Result<Entry> {
        self.seen += 1;
        let Pending {
            extended,
            long_name,
            long_link,
            ..
        } = pending;
        let keys = extended.sparse;
        let path = keys
            .name
            .clone()
            .or(extended.path)
            .or(long_name)
            .unwrap_or_else(|| block::name(block));
        let kind = kind(block[block::KIND], &path)?;
        // A link's size is that of the file it names, and a directory's (in some dialects) what it may hold.
        let stored = match extended.size {
            _ if kind != Kind::File && block[block::KIND] != b'D' => 0,
            Some(size) => size,
            None => field(block, block::SIZE, "size")?,
        };
        self.expect_data(stored)?;
        let sparse = self.sparse_map(block, &keys, stored)?;
        if let Some(map) = &sparse {
            sparse::check(map, self.data, &path)?;
        }
        let owner = |given: Option<u64>, range, what| match given {
            Some(id) => Ok(id),
            None => field(block, range, what),
        };
        Ok(Entry {
            kind,
            mode: (field(block, block::MODE, "mode")? & 0o7777) as u32,
            uid: id(owner(extended.uid, block::UID, "uid")?, &path)?,
            gid: id(owner(extended.gid, block::GID, "gid")?, &path)?,
            mtime: match extended.mtime {
                Some(time) => time,
                None => Time {
                    seconds: signed(block, block::MTIME, "mtime")?,
                    nanos: 0,
                },
            },
            link: extended
                .link
                .or(long_link)
                .unwrap_or_else(|| text(&block[block::LINK]).to_vec()),
            device: device(block, kind)?,
            size: self.data,
            sparse,
            xattrs: extended.xattrs.into_iter().collect(),
            path,
        })
    }

    fn sparse_map(
        &mut self,
        block: &Block,
        keys: &SparseKeys,
        stored: u64,
    ) -> Result<Option<Sparse>> {
        if block[block::KIND] == b'S' {
            return sparse::from_header(block, &mut self.source).map(Some);
        }
        let Some(size) = keys.size else {
            return Ok(None);
        };
        if keys.major == 0 {
            let extents = keys.extents().ok_or_else(sparse::malformed)?;
            return Ok(Some(Sparse { size, extents }));
        }
        let (map, used) = sparse::from_data(size, stored, &mut self.source)?;
        self.data = stored.checked_sub(used).ok_or_else(sparse::malformed)?;
        Ok(Some(map))
    }

    fn expect_data(&mut self, size: u64) -> Result<()> {
        if i64::try_from(size).is_err() {
            return Err(Error::Damaged(format!(
                "the archive has an entry of impossible size {size}"
            )));
        }
        self.data = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(())
    }

    fn skip_rest(&mut self) -> Result<()> {
        self.data = self.data.saturating_add(std::mem::take(&mut self.padding));
        loop {
            let count = self.data()?.len();
            if count == 0 {
                return Ok(());
            }
            self.consume(count);
        }
    }
}

fn cut() -> Error {
    Error::Damaged("the archive ends too early".into())
}
