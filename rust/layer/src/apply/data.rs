//! A file's data on its way from the archive to the disk.

use std::{io::BufRead, os::fd::BorrowedFd};

use rustix::{
    fs::ftruncate,
    io::{Errno, pwrite, write},
};

use crate::{
    Error, Result,
    tar::{Entry, Reader},
};

/// Write an entry's data, at its places if it is sparse.
pub fn write_data<R: BufRead>(
    file: BorrowedFd<'_>,
    path: &[u8],
    entry: &Entry,
    archive: &mut Reader<R>,
) -> Result<()> {
    let failed = |error: Errno| Error::io("write", path, error);
    let Some(sparse) = &entry.sparse else {
        loop {
            let piece = archive.data()?;
            if piece.is_empty() {
                return Ok(());
            }
            let count = retry(|| write(file, piece)).map_err(failed)?;
            archive.consume(count);
        }
    };
    ftruncate(file, sparse.size).map_err(failed)?;
    for extent in &sparse.extents {
        let (mut offset, end) = (extent.offset, extent.offset + extent.length);
        while offset < end {
            let piece = archive.data()?;
            let most = usize::try_from(end - offset).unwrap_or(usize::MAX);
            let piece = &piece[..piece.len().min(most)];
            let count = retry(|| pwrite(file, piece, offset)).map_err(failed)?;
            archive.consume(count);
            offset += count as u64;
        }
    }
    Ok(())
}

fn retry(act: impl Fn() -> rustix::io::Result<usize>) -> rustix::io::Result<usize> {
    loop {
        match act() {
            Err(Errno::INTR) => {}
            // A file system that takes nothing and says nothing would be asked for ever.
            Ok(0) => return Err(Errno::IO),
            result => return result,
        }
    }
}
