//! The frames that every conversation with a supervisor consists of (ARCHITECTURE.md, "Frames").

use thiserror::Error;

/// Bytes before each payload: kind, three zeros, length (big endian).
pub const HEADER: usize = 8;

/// Longest payload of a REQUEST: an exec with a very large environment fits.
pub const MAX_REQUEST: usize = 4 << 20;

/// Longest payload of one STDIN frame; longer input is sent as several.
pub const MAX_STDIN: usize = 1 << 20;

/// Longest payload of the short frames RESIZE and SIGNAL.
const MAX_SHORT: usize = 4096;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Input for the program; empty: end of file.
    Stdin = 0,
    /// Output of the program, or of its terminal.
    Stdout = 1,
    /// Error output of the program.
    Stderr = 2,
    /// A JSON document with `op`.
    Request = 3,
    /// The answer to a request that could be done.
    Ok = 4,
    /// `{"message", "code"}`: what could not be done.
    Error = 5,
    /// How the program ended; the last frame.
    Exit = 6,
    /// `{"rows", "cols"}` of the terminal.
    Resize = 7,
    /// `{"signal"}` for the program.
    Signal = 8,
}

impl Kind {
    /// The kind with this number on the wire.
    pub fn from_wire(byte: u8) -> Option<Self> {
        use Kind::{Error, Exit, Ok, Request, Resize, Signal, Stderr, Stdin, Stdout};
        [
            Stdin, Stdout, Stderr, Request, Ok, Error, Exit, Resize, Signal,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }

    /// The longest payload a supervisor accepts, `None` for the kinds that only it sends.
    fn limit(self) -> Option<usize> {
        match self {
            Self::Stdin => Some(MAX_STDIN),
            Self::Request => Some(MAX_REQUEST),
            Self::Resize | Self::Signal => Some(MAX_SHORT),
            Self::Stdout | Self::Stderr | Self::Ok | Self::Error | Self::Exit => None,
        }
    }
}

/// The header of a frame.
pub fn header(kind: Kind, length: usize) -> [u8; HEADER] {
    let [a, b, c, d] = u32::try_from(length)
        .expect("payloads are limited far below 4 GiB")
        .to_be_bytes();
    [kind as u8, 0, 0, 0, a, b, c, d]
}

/// A frame that a client sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it carries.
    pub kind: Kind,
    /// The bytes after the header.
    pub payload: Vec<u8>,
}

/// Why a stream of bytes is not a stream of frames for a supervisor.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// The first four bytes of a header are no kind that clients send.
    #[error("frame of unknown kind {0:#010x}")]
    Kind(u32),
    /// More than a supervisor is willing to hold.
    #[error("{kind:?} frame of {length} bytes, at most {limit} are accepted")]
    TooLong {
        /// What the frame carries.
        kind: Kind,
        /// Announced length.
        length: usize,
        /// The limit for this kind.
        limit: usize,
    },
}

/// Cuts received bytes into frames; holds at most one incomplete frame plus what was received with it.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// How many of `bytes` were already handed out.
    consumed: usize,
}

impl Decoder {
    /// Append what was received.
    pub fn feed(&mut self, received: &[u8]) {
        if self.consumed > 0 {
            self.bytes.drain(..self.consumed);
            self.consumed = 0;
        }
        self.bytes.extend_from_slice(received);
    }

    /// The next complete frame, `None` until more bytes come. After an error the stream is lost.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        let rest = &self.bytes[self.consumed..];
        let Some((&[a, b, c, d, w, x, y, z], rest)) = rest.split_first_chunk::<HEADER>() else {
            return Ok(None);
        };
        let unknown = FrameError::Kind(u32::from_be_bytes([a, b, c, d]));
        let (Some(kind), [0, 0, 0]) = (Kind::from_wire(a), [b, c, d]) else {
            return Err(unknown);
        };
        let limit = kind.limit().ok_or(unknown)?;
        let length = u32::from_be_bytes([w, x, y, z]) as usize;
        if length > limit {
            return Err(FrameError::TooLong {
                kind,
                length,
                limit,
            });
        }
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let frame = Frame {
            kind,
            payload: payload.to_vec(),
        };
        self.consumed += HEADER + length;
        if self.consumed == self.bytes.len() {
            *self = Self::default();
        }
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(kind: Kind, payload: &[u8]) -> Vec<u8> {
        [&header(kind, payload.len()), payload].concat()
    }

    fn all(decoder: &mut Decoder) -> Vec<Frame> {
        std::iter::from_fn(|| decoder.next_frame().expect("valid")).collect()
    }

    #[test]
    fn header_is_dockers() {
        assert_eq!(header(Kind::Stderr, 0x0102_0304), [2, 0, 0, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn refuses_what_clients_do_not_send() {
        for bytes in [
            [1, 0, 0, 0, 0, 0, 0, 0],
            [9, 0, 0, 0, 0, 0, 0, 0],
            [0, 0, 1, 0, 0, 0, 0, 0],
        ] {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            assert!(
                matches!(decoder.next_frame(), Err(FrameError::Kind(_))),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn refuses_a_long_frame_before_its_payload_comes() {
        let mut decoder = Decoder::default();
        decoder.feed(&header(Kind::Stdin, MAX_STDIN + 1));
        let error = decoder.next_frame().expect_err("too long");
        assert_eq!(
            error.to_string(),
            "Stdin frame of 1048577 bytes, at most 1048576 are accepted"
        );
    }

    proptest! {
        #[test]
        fn decodes_whatever_the_cuts(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..8),
            cut in 1..50usize,
        ) {
            let wire: Vec<u8> = payloads.iter().flat_map(|payload| encode(Kind::Stdin, payload)).collect();
            let mut decoder = Decoder::default();
            let mut frames = Vec::new();
            for part in wire.chunks(cut) {
                decoder.feed(part);
                frames.extend(all(&mut decoder));
            }
            prop_assert_eq!(frames.into_iter().map(|frame| frame.payload).collect::<Vec<_>>(), payloads);
        }

        #[test]
        fn any_bytes_are_frames_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut decoder = Decoder::default();
            decoder.feed(&bytes);
            while let Ok(Some(frame)) = decoder.next_frame() {
                prop_assert!(frame.payload.len() <= bytes.len());
            }
        }
    }
}
