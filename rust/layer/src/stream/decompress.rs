//! Whatever compression an archive has, told by its first bytes and undone in this process.
//!
//! No program is ever started for it: what it would read comes from a stranger.

use std::io::{self, BufReader, Read};

/// Memory an xz stream may ask for: enough for `xz -9` (64 MiB of dictionary), not for a hostile one.
const XZ_MEMORY: u64 = 128 << 20;
/// Largest zstd window, as a power of two: what `zstd --ultra -22` and `--long` make.
const ZSTD_WINDOW: u32 = 27;
const BUFFER: usize = 128 << 10;

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, one or many members.
    Gzip,
    /// RFC 8878, one or many frames.
    Zstd,
    /// .xz, one or many streams.
    Xz,
    /// bzip2, one or many streams.
    Bzip2,
}

impl Compression {
    /// How many bytes [`Compression::detect`] wants to see.
    pub const MAGIC: usize = 6;

    /// Tell from the first bytes of a file; what is not recognised is taken as uncompressed.
    pub fn detect(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2,
            _ => Self::None,
        }
    }

    /// The name that goes into messages and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }

    /// A reader of what `input` holds once decompressed.
    pub fn decode<'a>(self, input: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
        let buffered = |input| BufReader::with_capacity(BUFFER, input);
        Ok(match self {
            Self::None => Box::new(input),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered(input))),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered(input))?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Box::new(decoder)
            }
            Self::Xz => {
                let flags = liblzma::stream::CONCATENATED;
                let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(
                    buffered(input),
                    stream,
                ))
            }
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(input))),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn expand(data: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Compression::detect(data)
            .decode(data)?
            .read_to_end(&mut out)?;
        Ok(out)
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(data).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    #[test]
    fn undoes_every_kind() {
        let text = b"layer".repeat(1000);
        assert_eq!(expand(&text).expect("plain"), text);
        assert_eq!(expand(&gzip(&text)).expect("gzip"), text);
        assert_eq!(
            expand(&zstd::encode_all(&text[..], 3).expect("zstd")).expect("zstd"),
            text
        );
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
        xz.write_all(&text).expect("xz");
        assert_eq!(expand(&xz.finish().expect("xz")).expect("xz"), text);
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
        bz.write_all(&text).expect("bzip2");
        assert_eq!(expand(&bz.finish().expect("bzip2")).expect("bzip2"), text);
    }

    #[test]
    fn reads_all_members() {
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(expand(&two).expect("gzip"), b"one two");
        let frame = |data: &[u8]| zstd::encode_all(data, 1).expect("zstd");
        assert_eq!(
            expand(&[frame(b"one "), frame(b"two")].concat()).expect("zstd"),
            b"one two"
        );
    }

    #[test]
    fn notices_a_cut() {
        let whole = gzip(&b"layer".repeat(1000));
        assert!(expand(&whole[..whole.len() - 5]).is_err());
        let whole = zstd::encode_all(&b"layer".repeat(1000)[..], 1).expect("zstd");
        assert!(expand(&whole[..whole.len() - 5]).is_err());
    }
}
