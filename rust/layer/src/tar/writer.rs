//! Writes an archive: ustar headers, with PAX records for what does not fit in them. The same entries always make
//! the same bytes.

use std::io::{self, Write};

use super::{
    block::{self, BLOCK, Block, put_number},
    entry::{Entry, Kind, Time},
    pax::{XATTR, write_record, write_time},
};

/// An archive being written.
pub struct Writer<W> {
    out: W,
    /// Bytes of the current entry's data still to come.
    data: u64,
    padding: usize,
}

impl<W: Write> Writer<W> {
    /// Start an archive on `out`; buffer it if small writes are dear.
    pub fn new(out: W) -> Self {
        Self {
            out,
            data: 0,
            padding: 0,
        }
    }

    /// Write the header of an entry; exactly [`Entry::size`] bytes of data must follow.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn header(&mut self, entry: &Entry) -> io::Result<()> {
        debug_assert_eq!(self.data, 0, "the last entry's data is complete");
        let mut records = Vec::new();
        let block = fields(entry, &mut records);
        if !records.is_empty() {
            let mut extended = Entry::new(&b"PaxHeaders/entry"[..], Kind::File);
            extended.mode = 0o644;
            extended.size = records.len() as u64;
            let mut header = fields(&extended, &mut Vec::new());
            header[block::KIND] = b'x';
            block::seal(&mut header);
            self.out.write_all(&header)?;
            self.expect(extended.size);
            self.data(&records)?;
        }
        self.out.write_all(&block)?;
        self.expect(entry.size);
        Ok(())
    }

    fn expect(&mut self, size: u64) {
        self.data = size;
        self.padding = (size.next_multiple_of(BLOCK as u64) - size) as usize;
    }

    /// Write data of the entry; what is more than announced is left out.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn data(&mut self, data: &[u8]) -> io::Result<()> {
        let count = data
            .len()
            .min(usize::try_from(self.data).unwrap_or(usize::MAX));
        self.out.write_all(&data[..count])?;
        self.data -= count as u64;
        if self.data == 0 {
            self.out
                .write_all(&[0; BLOCK][..std::mem::take(&mut self.padding)])?;
        }
        Ok(())
    }

    /// Bytes of the current entry's data still to come.
    pub fn missing(&self) -> u64 {
        self.data
    }

    /// Write the end of the archive and give the output back.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// The header block; what does not fit in it goes into `records`.
fn fields(entry: &Entry, records: &mut Vec<u8>) -> Block {
    let mut block = [0; BLOCK];
    let mut number = |range: std::ops::Range<usize>, value: u64, key: &[u8]| {
        if !put_number(&mut block[range], value) {
            write_record(records, key, value.to_string().as_bytes());
        }
    };
    number(block::MODE, u64::from(entry.mode), b"mode");
    number(block::UID, u64::from(entry.uid), b"uid");
    number(block::GID, u64::from(entry.gid), b"gid");
    number(block::SIZE, entry.size, b"size");
    if matches!(entry.kind, Kind::CharDevice | Kind::BlockDevice) {
        number(block::MAJOR, u64::from(entry.device.0), b"SCHILY.devmajor");
        number(block::MINOR, u64::from(entry.device.1), b"SCHILY.devminor");
    }
    put_mtime(&mut block, entry.mtime, records);
    put_path(&mut block, &entry.path, records);
    if entry.link.len() > block::LINK.len() {
        write_record(records, b"linkpath", &entry.link);
    }
    let link = &entry.link[..entry.link.len().min(block::LINK.len())];
    block[block::LINK][..link.len()].copy_from_slice(link);
    for (name, value) in &entry.xattrs {
        write_record(records, &[XATTR, name].concat(), value);
    }
    block[block::MAGIC].copy_from_slice(block::USTAR);
    block[block::KIND] = mark(entry.kind);
    block::seal(&mut block);
    block
}

fn put_mtime(block: &mut Block, mtime: Time, records: &mut Vec<u8>) {
    let whole = u64::try_from(mtime.seconds).ok();
    let fits = put_number(&mut block[block::MTIME], whole.unwrap_or(u64::MAX));
    if !fits || mtime.nanos != 0 {
        write_record(records, b"mtime", write_time(mtime).as_bytes());
    }
}

/// The name in one field, split over two at a slash, or in a record.
fn put_path(block: &mut Block, path: &[u8], records: &mut Vec<u8>) {
    let (name_most, prefix_most) = (block::NAME.len(), block::PREFIX.len());
    if path.len() > name_most {
        let earliest = path.len() - name_most - 1;
        let split =
            (earliest..path.len().min(prefix_most + 1)).find(|at| path[*at] == b'/' && *at > 0);
        if let Some(at) = split.filter(|at| at + 1 < path.len()) {
            block[block::PREFIX][..at].copy_from_slice(&path[..at]);
            block[block::NAME][..path.len() - at - 1].copy_from_slice(&path[at + 1..]);
            return;
        }
        write_record(records, b"path", path);
    }
    let name = &path[..path.len().min(name_most)];
    block[block::NAME][..name.len()].copy_from_slice(name);
}

fn mark(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::CharDevice => b'3',
        Kind::BlockDevice => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    }
}

#[cfg(test)]
mod tests {
    use proptest::{
        collection::{btree_map, vec},
        prelude::*,
    };

    use super::*;
    use crate::tar::Reader;

    fn any_entry() -> impl Strategy<Value = (Entry, Vec<u8>)> {
        let path = vec(prop_oneof![Just(b'/'), Just(b'a'), 1u8..], 1..400);
        let time = (-1i64 << 40..1 << 40, 0u32..1_000_000_000)
            .prop_map(|(seconds, nanos)| Time { seconds, nanos });
        let name = "[a-z.]{1,10}".prop_map(String::into_bytes);
        let xattrs = btree_map(name, vec(any::<u8>(), 0..50), 0..3);
        let ids = (0u32..u32::MAX, 0u32..u32::MAX, 0u32..0o10000);
        (path, ids, time, xattrs, vec(any::<u8>(), 0..1500)).prop_map(
            |(path, ids, mtime, xattrs, data)| {
                let mut entry = Entry::new(path, Kind::File);
                (entry.uid, entry.gid, entry.mode) = ids;
                if entry.path.ends_with(b"/") {
                    entry.kind = Kind::Directory;
                }
                let data = if entry.kind == Kind::File {
                    data
                } else {
                    Vec::new()
                };
                entry.size = data.len() as u64;
                entry.mtime = mtime;
                entry.xattrs = xattrs.into_iter().collect();
                (entry, data)
            },
        )
    }

    fn read_all(archive: &[u8]) -> crate::Result<Vec<(Entry, Vec<u8>)>> {
        let mut reader = Reader::new(archive);
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            let mut data = Vec::new();
            loop {
                let piece = reader.data()?;
                let count = piece.len();
                if count == 0 {
                    break;
                }
                data.extend_from_slice(piece);
                reader.consume(count);
            }
            found.push((entry, data));
        }
        Ok(found)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entries in vec(any_entry(), 1..5)) {
            let mut writer = Writer::new(Vec::new());
            for (entry, data) in &entries {
                writer.header(entry).expect("memory takes it");
                writer.data(data).expect("memory takes it");
            }
            let archive = writer.finish().expect("memory takes it");
            prop_assert_eq!(archive.len() % BLOCK, 0);
            prop_assert_eq!(read_all(&archive).expect("our own archive"), entries);
        }

        #[test]
        fn damage_never_panics(entries in vec(any_entry(), 1..3), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut writer = Writer::new(Vec::new());
            for (entry, data) in &entries {
                writer.header(entry).expect("memory takes it");
                writer.data(data).expect("memory takes it");
            }
            let mut archive = writer.finish().expect("memory takes it");
            let at = at.index(archive.len());
            archive[at] = byte;
            let _ = read_all(&archive);
            let _ = read_all(&archive[..at]);
        }
    }
}
