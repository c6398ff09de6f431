//! PAX extended headers: `<length> <key>=<value>\n` records that override fields of the next header.

use std::collections::BTreeMap;

use super::entry::{Extent, Time};
use crate::{Error, Result, error::show};

/// Prefix under which GNU tar, star, Docker and libarchive store extended attributes.
pub const XATTR: &[u8] = b"SCHILY.xattr.";

/// What one extended header says, of what is understood here; the rest is ignored as POSIX asks.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Extended {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    pub uid: Option<u64>,
    pub gid: Option<u64>,
    pub mtime: Option<Time>,
    /// By name: there may be tens of thousands, each of which may come again.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub sparse: SparseKeys,
}

/// GNU's records for sparse files, versions 0.0, 0.1 and 1.0.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SparseKeys {
    pub major: u64,
    pub name: Option<Vec<u8>>,
    pub size: Option<u64>,
    /// Offsets and lengths in turn.
    pub map: Vec<u64>,
}

impl SparseKeys {
    /// The map of versions 0.0 and 0.1; None when it is not made of pairs.
    pub fn extents(&self) -> Option<Vec<Extent>> {
        let pairs = self.map.chunks_exact(2);
        let rest = pairs.remainder();
        let extents = pairs
            .map(|pair| Extent {
                offset: pair[0],
                length: pair[1],
            })
            .collect();
        rest.is_empty().then_some(extents)
    }
}

impl Extended {
    /// Read the records of one header on top of what earlier ones said.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] for a record that breaks the format or a value that is none.
    pub fn parse(&mut self, mut data: &[u8]) -> Result<()> {
        // Writers pad with NULs.
        while !data.is_empty() && data[0] != 0 {
            let (key, value, rest) = record(data).ok_or_else(|| damaged(data))?;
            self.set(key, value).ok_or_else(|| damaged(data))?;
            data = rest;
        }
        Ok(())
    }

    /// None when the value is not one for the key.
    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.path = name(value)?,
            b"linkpath" => self.link = name(value)?,
            b"size" => self.size = Some(decimal(value)?),
            b"uid" => self.uid = Some(decimal(value)?),
            b"gid" => self.gid = Some(decimal(value)?),
            b"mtime" => self.mtime = Some(time(value)?),
            b"GNU.sparse.major" => self.sparse.major = decimal(value)?,
            b"GNU.sparse.name" => self.sparse.name = name(value)?,
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse.size = Some(decimal(value)?),
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.sparse.map.push(decimal(value)?),
            b"GNU.sparse.map" => {
                self.sparse.map = value
                    .split(|byte| *byte == b',')
                    .map(decimal)
                    .collect::<Option<_>>()?;
            }
            _ => {
                if let Some(attribute) = key.strip_prefix(XATTR) {
                    self.xattrs.insert(name(attribute)??, value.to_vec());
                }
            }
        }
        Some(())
    }
}

/// One record: key, value, what follows.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&data[..space])?).ok()?;
    let body = data.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    Some((&body[..equals], &body[equals + 1..], &data[length..]))
}

/// A name; the empty one takes the override back, one with a NUL is refused.
#[allow(clippy::option_option)]
fn name(value: &[u8]) -> Option<Option<Vec<u8>>> {
    if value.contains(&0) {
        return None;
    }
    Some((!value.is_empty()).then(|| value.to_vec()))
}

/// An unsigned number in decimal, nothing around it.
pub fn decimal(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0u64, |total, byte| match byte {
        b'0'..=b'9' => total.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

/// Seconds with any number of decimals, of which nine count.
fn time(value: &[u8]) -> Option<Time> {
    let (negative, value) = match value.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let whole = i64::try_from(decimal(parts.next()?)?).ok()?;
    let fraction = parts.next().unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(9);
    let nanos = digits.fold(0u32, |total, digit| total * 10 + u32::from(digit - b'0'));
    Some(match (negative, nanos) {
        (false, _) => Time {
            seconds: whole,
            nanos,
        },
        (true, 0) => Time {
            seconds: -whole,
            nanos,
        },
        // Nanoseconds count upwards also before 1970.
        (true, _) => Time {
            seconds: -whole - 1,
            nanos: 1_000_000_000 - nanos,
        },
    })
}

/// Append one record to an extended header under construction.
pub fn write_record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    // Space, equals sign and newline; the length counts its own digits too.
    let body = key.len() + value.len() + 3;
    let mut length = body + digits(body);
    length = body + digits(length);
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// A time as the value of a record; trailing zeros are left out.
pub fn write_time(time: Time) -> String {
    let Time { seconds, nanos } = time;
    if nanos == 0 {
        return seconds.to_string();
    }
    let (sign, seconds, nanos) = if seconds < 0 {
        ("-", -(seconds + 1), 1_000_000_000 - nanos)
    } else {
        ("", seconds, nanos)
    };
    format!("{sign}{seconds}.{nanos:09}")
        .trim_end_matches('0')
        .to_owned()
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

fn damaged(data: &[u8]) -> Error {
    let start = &data[..data.len().min(60)];
    Error::Damaged(format!(
        "the archive has a malformed extended header at \"{}\"",
        show(start)
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_records() {
        let mut extended = Extended::default();
        let data = b"12 path=a/b\n30 mtime=1350244992.023960108\n\0\0\0";
        extended.parse(data).expect("valid");
        assert_eq!(extended.path.as_deref(), Some(&b"a/b"[..]));
        assert_eq!(
            extended.mtime,
            Some(Time {
                seconds: 1_350_244_992,
                nanos: 23_960_108
            })
        );
    }

    #[test]
    fn refuses_malformed_ones() {
        for bad in [
            &b"5 path=x\n"[..],
            b"99 path=x\n",
            b"path=x\n",
            b"9 path=x",
            b"10 size=-1\n",
            b"11 path=a\0b\n",
        ] {
            assert!(Extended::default().parse(bad).is_err(), "{}", show(bad));
        }
    }

    proptest! {
        #[test]
        fn record_round_trip(key in "[a-zA-Z.]{1,20}", value in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut data = Vec::new();
            write_record(&mut data, key.as_bytes(), &value);
            let (read_key, read_value, rest) = record(&data).expect("well formed");
            prop_assert_eq!(read_key, key.as_bytes());
            prop_assert_eq!(read_value, &value[..]);
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn time_round_trip(seconds in -1i64 << 40..1 << 40, nanos in 0u32..1_000_000_000) {
            let stamp = Time { seconds, nanos };
            prop_assert_eq!(time(write_time(stamp).as_bytes()), Some(stamp));
        }

        #[test]
        fn never_panics(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Extended::default().parse(&data);
        }
    }
}
