//! The 512-byte header block: where the fields are, and how numbers stand in them.
//!
//! POSIX pax(1) "ustar Interchange Format"; GNU tar "Basic Tar Format".

use std::ops::Range;

/// Everything in an archive is a multiple of this.
pub const BLOCK: usize = 512;

pub const NAME: Range<usize> = 0..100;
pub const MODE: Range<usize> = 100..108;
pub const UID: Range<usize> = 108..116;
pub const GID: Range<usize> = 116..124;
pub const SIZE: Range<usize> = 124..136;
pub const MTIME: Range<usize> = 136..148;
pub const CHECKSUM: Range<usize> = 148..156;
pub const KIND: usize = 156;
pub const LINK: Range<usize> = 157..257;
pub const MAGIC: Range<usize> = 257..265;
pub const MAJOR: Range<usize> = 329..337;
pub const MINOR: Range<usize> = 337..345;
pub const PREFIX: Range<usize> = 345..500;

/// Magic and version of a POSIX header; GNU's own reads `ustar  \0`.
pub const USTAR: &[u8; 8] = b"ustar\x0000";
/// star's mark, which shortens the prefix to make room for times.
const STAR_MARK: (Range<usize>, &[u8]) = (508..512, b"tar\0");
const STAR_PREFIX: Range<usize> = 345..476;

pub type Block = [u8; BLOCK];

/// A field up to its first NUL.
pub fn text(field: &[u8]) -> &[u8] {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    &field[..end]
}

/// The name, joined from its two fields where the dialect has two.
pub fn name(block: &Block) -> Vec<u8> {
    let name = text(&block[NAME]);
    let posix = block[MAGIC].starts_with(b"ustar\0");
    let star = block[STAR_MARK.0] == *STAR_MARK.1;
    let prefix = match (posix, star) {
        (true, false) => text(&block[PREFIX]),
        (true, true) => text(&block[STAR_PREFIX]),
        (false, _) => b"",
    };
    if prefix.is_empty() {
        name.to_vec()
    } else {
        [prefix, b"/", name].concat()
    }
}

/// A number: octal digits with spaces or NULs around them (nothing at all is 0), or GNU's base 256 (two's
/// complement, the first bit set). None when it is neither or too large.
pub fn number(field: &[u8]) -> Option<i64> {
    match field.first() {
        Some(first) if first & 0x80 != 0 => base_256(field),
        _ => octal(field),
    }
}

fn base_256(field: &[u8]) -> Option<i64> {
    let negative = field[0] & 0x40 != 0;
    // Bit 7 only marks the encoding: bit 6 is the sign, and is spread over it.
    let first = if negative { field[0] } else { field[0] & 0x7f };
    let start = if negative { -1i64 } else { 0 };
    std::iter::once(first)
        .chain(field[1..].iter().copied())
        .try_fold(start, |value, byte| {
            value
                .checked_mul(256)
                .map(|shifted| shifted | i64::from(byte))
        })
}

fn octal(field: &[u8]) -> Option<i64> {
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(field.len());
    let digits = &field[start..];
    let end = digits.iter().position(blank).unwrap_or(digits.len());
    digits[..end]
        .iter()
        .try_fold(0i64, |value, byte| match byte {
            b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(byte - b'0')),
            _ => None,
        })
}

/// Whether the header's checksum is right: the sum of its bytes, the checksum itself taken as spaces. Some old
/// programs summed signed bytes; both are accepted, as every tar does.
pub fn checksum_holds(block: &Block) -> bool {
    let Some(claimed) = octal(&block[CHECKSUM]) else {
        return false;
    };
    let at = |index: usize| {
        if CHECKSUM.contains(&index) {
            b' '
        } else {
            block[index]
        }
    };
    let unsigned: i64 = (0..BLOCK).map(|index| i64::from(at(index))).sum();
    let signed: i64 = (0..BLOCK).map(|index| i64::from(at(index) as i8)).sum();
    claimed == unsigned || claimed == signed
}

/// Write `value` in octal, zero-padded with a closing NUL; false when it does not fit (the field is left 0).
pub fn put_number(field: &mut [u8], value: u64) -> bool {
    let digits = field.len() - 1;
    let fits = value >> (3 * digits) == 0;
    let mut rest = if fits { value } else { 0 };
    for byte in field[..digits].iter_mut().rev() {
        *byte = b'0' + (rest & 7) as u8;
        rest >>= 3;
    }
    field[digits] = 0;
    fits
}

/// Put the checksum in, in the customary form of six digits, NUL, space.
pub fn seal(block: &mut Block) {
    block[CHECKSUM].fill(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    put_number(&mut block[148..155], sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_form() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(&[0; 8]), Some(0));
        assert_eq!(number(b"12345678"), None);
        assert_eq!(number(b"0000649\0"), None);
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0x20, 0, 0]), Some(0x20_0000));
        assert_eq!(number(&[0xff; 12]), Some(-1));
        let mut huge = [0xff; 12];
        huge[0] = 0xbf;
        assert_eq!(number(&huge), None);
        let mut wide = [0; 12];
        wide[0] = 0x80;
        wide[4..].copy_from_slice(&i64::MAX.to_be_bytes());
        assert_eq!(number(&wide), Some(i64::MAX));
    }

    proptest::proptest! {
        #[test]
        fn octal_round_trip(value in 0u64..1 << 33) {
            let mut field = [0; 12];
            assert!(put_number(&mut field, value));
            assert_eq!(number(&field), i64::try_from(value).ok());
        }

        #[test]
        fn sealed_blocks_hold(bytes in proptest::collection::vec(0u8.., BLOCK)) {
            let mut block: Block = bytes.try_into().expect("one block");
            seal(&mut block);
            assert!(checksum_holds(&block));
            block[0] = block[0].wrapping_add(1);
            assert!(!checksum_holds(&block));
        }
    }

    #[test]
    fn says_when_a_number_does_not_fit() {
        let mut field = [0; 8];
        assert!(put_number(&mut field, 0o777_7777));
        assert!(!put_number(&mut field, 0o1000_0000));
    }
}
