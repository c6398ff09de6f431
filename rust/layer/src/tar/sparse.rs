//! The maps of sparse files in GNU's old headers and in data (PAX version 1.0); those in PAX records are in `pax`.

use std::io::BufRead;

use super::{
    block::{Block, number, text},
    entry::{Extent, Sparse},
    reader::Source,
};
use crate::{Error, Result, error::show};

/// More stretches than any real file has; 16 MiB of memory.
const MOST_EXTENTS: usize = 1 << 20;

/// GNU's old form: four stretches in the header, 21 in each block that follows.
pub fn from_header<R: BufRead>(block: &Block, source: &mut Source<R>) -> Result<Sparse> {
    let mut extents = Vec::new();
    push_all(&mut extents, &block[386..482])?;
    let size = number(&block[483..495])
        .and_then(|size| u64::try_from(size).ok())
        .ok_or_else(malformed)?;
    let mut more = block[482] != 0;
    while more {
        let extension = source.block()?.ok_or_else(malformed)?;
        push_all(&mut extents, &extension[..504])?;
        more = extension[504] != 0;
    }
    Ok(Sparse { size, extents })
}

fn push_all(extents: &mut Vec<Extent>, fields: &[u8]) -> Result<()> {
    for pair in fields.chunks_exact(24) {
        if text(pair).is_empty() && pair[0] == 0 {
            break;
        }
        let value = |field| {
            number(field)
                .and_then(|value| u64::try_from(value).ok())
                .ok_or_else(malformed)
        };
        push(
            extents,
            Extent {
                offset: value(&pair[..12])?,
                length: value(&pair[12..])?,
            },
        )?;
    }
    Ok(())
}

/// PAX version 1.0: the map stands before the data, decimal numbers a line each, padded to a block. Gives how many
/// bytes of the entry it took.
pub fn from_data<R: BufRead>(
    size: u64,
    available: u64,
    source: &mut Source<R>,
) -> Result<(Sparse, u64)> {
    let mut lines = Lines {
        block: None,
        at: 0,
        used: 0,
        available,
    };
    let count = lines.number(source)?;
    let mut extents = Vec::new();
    for _ in 0..count {
        let offset = lines.number(source)?;
        let length = lines.number(source)?;
        push(&mut extents, Extent { offset, length })?;
    }
    Ok((Sparse { size, extents }, lines.used))
}

struct Lines {
    block: Option<Block>,
    at: usize,
    used: u64,
    available: u64,
}

impl Lines {
    fn number<R: BufRead>(&mut self, source: &mut Source<R>) -> Result<u64> {
        let mut value = 0u64;
        let mut any = false;
        loop {
            match self.byte(source)? {
                b'\n' if any => return Ok(value),
                digit @ b'0'..=b'9' => {
                    let digit = u64::from(digit - b'0');
                    value = value
                        .checked_mul(10)
                        .and_then(|ten| ten.checked_add(digit))
                        .ok_or_else(malformed)?;
                    any = true;
                }
                _ => return Err(malformed()),
            }
        }
    }

    fn byte<R: BufRead>(&mut self, source: &mut Source<R>) -> Result<u8> {
        if self.block.is_none_or(|block| self.at == block.len()) {
            if self.used >= self.available {
                return Err(malformed());
            }
            let block = source.block()?.ok_or_else(malformed)?;
            self.used += block.len() as u64;
            self.block = Some(block);
            self.at = 0;
        }
        let byte = self.block.as_ref().map_or(0, |block| block[self.at]);
        self.at += 1;
        Ok(byte)
    }
}

fn push(extents: &mut Vec<Extent>, extent: Extent) -> Result<()> {
    if extents.len() == MOST_EXTENTS {
        return Err(Error::Refused(format!(
            "the archive has a sparse file of more than {MOST_EXTENTS} pieces"
        )));
    }
    extents.push(extent);
    Ok(())
}

/// Check that the pieces ascend, stay inside the file and are as long together as the data.
pub fn check(sparse: &Sparse, data: u64, path: &[u8]) -> Result<()> {
    let mut end = 0u64;
    let mut total = 0u64;
    for extent in &sparse.extents {
        let stop = extent
            .offset
            .checked_add(extent.length)
            .filter(|stop| *stop <= sparse.size);
        let (Some(stop), true) = (stop, extent.offset >= end) else {
            return Err(inconsistent(path));
        };
        end = stop;
        total += extent.length;
    }
    let possible = i64::try_from(sparse.size).is_ok();
    if total == data && possible {
        Ok(())
    } else {
        Err(inconsistent(path))
    }
}

fn inconsistent(path: &[u8]) -> Error {
    Error::Damaged(format!(
        "the archive has an inconsistent sparse map for \"{}\"",
        show(path)
    ))
}

pub fn malformed() -> Error {
    Error::Damaged("the archive has a malformed sparse map".into())
}
