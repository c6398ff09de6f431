//! Fields of a header block, checked.

use std::ops::Range;

use super::{
    block::{self, Block, number},
    entry::Kind,
};
use crate::{Error, Result, error::show};

/// A number of the header that must not be negative.
pub fn field(block: &Block, range: Range<usize>, what: &str) -> Result<u64> {
    u64::try_from(signed(block, range, what)?).map_err(|_| bad_field(block, what))
}

pub fn signed(block: &Block, range: Range<usize>, what: &str) -> Result<i64> {
    number(&block[range]).ok_or_else(|| bad_field(block, what))
}

pub fn bad_field(block: &Block, what: &str) -> Error {
    let path = show(&block::name(block));
    Error::Damaged(format!("the archive has a malformed {what} for \"{path}\""))
}

/// A user or group number. The largest is no owner but "leave it as it is" to chown(2).
pub fn id(value: u64, path: &[u8]) -> Result<u32> {
    match u32::try_from(value) {
        Ok(id) if id != u32::MAX => Ok(id),
        _ => Err(Error::Damaged(format!(
            "the archive has an impossible owner {value} for \"{}\"",
            show(path)
        ))),
    }
}

pub fn kind(mark: u8, path: &[u8]) -> Result<Kind> {
    Ok(match mark {
        // The oldest form knows directories by their slash only.
        0 | b'0' if path.ends_with(b"/") => Kind::Directory,
        0 | b'0' | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::CharDevice,
        b'4' => Kind::BlockDevice,
        b'5' | b'D' => Kind::Directory,
        b'6' => Kind::Fifo,
        _ => {
            let (mark, path) = (mark.escape_ascii(), show(path));
            return Err(Error::Refused(format!(
                "the archive has \"{path}\" of the unknown type '{mark}'"
            )));
        }
    })
}

pub fn device(block: &Block, kind: Kind) -> Result<(u32, u32)> {
    if !matches!(kind, Kind::CharDevice | Kind::BlockDevice) {
        return Ok((0, 0));
    }
    let part =
        |range, what| u32::try_from(field(block, range, what)?).map_err(|_| bad_field(block, what));
    Ok((
        part(block::MAJOR, "device number")?,
        part(block::MINOR, "device number")?,
    ))
}
