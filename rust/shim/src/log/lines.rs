//! Cutting a stream of output into the entries of a log.

/// Longest entry; a longer line is logged in parts.
pub const MAX_ENTRY: usize = 16 * 1024;

/// One entry to be logged.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The text without its line feed.
    pub text: &'a [u8],
    /// Whether this ends a line.
    pub newline: bool,
    /// When the line's first part was logged, if this is not it.
    pub time: Option<&'a str>,
}

/// The unfinished line of one stream.
#[derive(Debug, Default)]
pub struct Lines {
    pending: Vec<u8>,
    /// Parts of one line carry the time of the first.
    first_part: Option<String>,
}

impl Lines {
    /// Cut `output`, which arrived at `now`, and hand every finished entry to `log`.
    pub fn push(&mut self, mut output: &[u8], now: &str, mut log: impl FnMut(Entry<'_>)) {
        while !output.is_empty() {
            let room = (MAX_ENTRY - self.pending.len()).min(output.len());
            match memchr::memchr(b'\n', &output[..room]) {
                Some(end) => {
                    self.line(&output[..end], &mut log);
                    output = &output[end + 1..];
                }
                None if self.pending.len() + room < MAX_ENTRY => {
                    self.pending.extend_from_slice(output);
                    return;
                }
                None => {
                    self.pending.extend_from_slice(&output[..room]);
                    self.part(now, &mut log);
                    output = &output[room..];
                }
            }
        }
    }

    /// Log what is left at the end of the stream.
    pub fn finish(&mut self, mut log: impl FnMut(Entry<'_>)) {
        let text = std::mem::take(&mut self.pending);
        let time = self.first_part.take();
        if !text.is_empty() {
            log(Entry {
                text: &text,
                newline: false,
                time: time.as_deref(),
            });
        }
    }

    /// Give memory back if there is no unfinished line.
    pub fn shrink(&mut self) {
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
    }

    fn line(&mut self, end: &[u8], log: &mut impl FnMut(Entry<'_>)) {
        let time = self.first_part.take();
        if self.pending.is_empty() {
            log(Entry {
                text: end,
                newline: true,
                time: time.as_deref(),
            });
        } else {
            self.pending.extend_from_slice(end);
            log(Entry {
                text: &self.pending,
                newline: true,
                time: time.as_deref(),
            });
            self.pending.clear();
        }
    }

    /// A full buffer without a line feed. Unlike docker's, the cut never splits a character, which would damage it.
    fn part(&mut self, now: &str, log: &mut impl FnMut(Entry<'_>)) {
        let cut = character_boundary(&self.pending);
        log(Entry {
            text: &self.pending[..cut],
            newline: false,
            time: self.first_part.as_deref(),
        });
        self.pending.drain(..cut);
        self.first_part.get_or_insert_with(|| now.to_owned());
    }
}

/// The length of `text` without an unfinished UTF-8 character at its end.
fn character_boundary(text: &[u8]) -> usize {
    for back in 1..=text.len().min(3) {
        let length = match text[text.len() - back] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if back < length {
            text.len() - back
        } else {
            text.len()
        };
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// (text, newline, time) of everything logged; input comes in pieces of `step` bytes at the times "0", "1", ….
    fn cut(output: &[u8], step: usize) -> Vec<(Vec<u8>, bool, Option<String>)> {
        let mut lines = Lines::default();
        let mut entries = Vec::new();
        let mut log = |entry: Entry<'_>| {
            entries.push((
                entry.text.to_vec(),
                entry.newline,
                entry.time.map(str::to_owned),
            ))
        };
        for (index, piece) in output.chunks(step).enumerate() {
            lines.push(piece, &index.to_string(), &mut log);
        }
        lines.finish(&mut log);
        entries
    }

    #[test]
    fn lines_and_an_unfinished_end() {
        let expected = [
            (b"a".to_vec(), true, None),
            (vec![], true, None),
            (b"b".to_vec(), false, None),
        ];
        assert_eq!(cut(b"a\n\nb", 100), expected);
        assert_eq!(cut(b"a\n\nb", 1), expected);
    }

    #[test]
    fn long_lines_come_in_parts_of_16_kib_with_the_time_of_the_first() {
        let text = [vec![b'x'; 2 * MAX_ENTRY], b"y\n".to_vec()].concat();
        let entries = cut(&text, MAX_ENTRY);
        let shape: Vec<_> = entries
            .iter()
            .map(|(text, newline, time)| (text.len(), *newline, time.as_deref()))
            .collect();
        assert_eq!(
            shape,
            [
                (MAX_ENTRY, false, None),
                (MAX_ENTRY, false, Some("0")),
                (1, true, Some("0"))
            ]
        );
    }

    #[test]
    fn a_line_of_exactly_16_kib_ends_with_an_empty_entry() {
        let entries = cut(&[vec![b'x'; MAX_ENTRY], b"\n".to_vec()].concat(), 5000);
        let shape: Vec<_> = entries
            .iter()
            .map(|(text, newline, _)| (text.len(), *newline))
            .collect();
        assert_eq!(shape, [(MAX_ENTRY, false), (0, true)]);
    }

    #[test]
    fn parts_never_split_a_character() {
        let text = ["x", &"€".repeat(6000)].concat();
        for (part, _, _) in cut(text.as_bytes(), 777) {
            assert!(std::str::from_utf8(&part).is_ok());
        }
    }

    #[test]
    fn boundary_leaves_invalid_bytes_alone() {
        for text in [
            &b"\x80\x80\x80\x80"[..],
            b"\xff",
            b"",
            b"a",
            "é".as_bytes(),
            b"\xc1",
            b"\xf5\x80",
        ] {
            assert_eq!(character_boundary(text), text.len(), "{text:?}");
        }
        assert_eq!(character_boundary(b"ab\xf0\x9f\xa6"), 2);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            runs in prop::collection::vec((prop_oneof![Just(b'\n'), any::<u8>()], 1..20_000usize), 0..6),
            step in 1..40_000usize,
        ) {
            let text: Vec<u8> = runs.iter().flat_map(|&(byte, count)| std::iter::repeat_n(byte, count)).collect();
            let mut joined = Vec::new();
            for (part, newline, _) in cut(&text, step) {
                prop_assert!(part.len() <= MAX_ENTRY);
                joined.extend(part);
                joined.extend(newline.then_some(b'\n'));
            }
            prop_assert_eq!(joined, text);
        }
    }
}
