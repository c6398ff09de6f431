//! Docker's json-file line: `{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.6Z"}`.

/// Append one entry for `text`, which gets a line feed back if `newline`.
///
/// `tail` is everything from the closing quote of the text on; see [`tail`].
pub fn append_entry(out: &mut Vec<u8>, text: &[u8], newline: bool, tail: &[u8]) {
    out.extend_from_slice(br#"{"log":""#);
    append_escaped(out, text);
    if newline {
        out.extend_from_slice(br"\n");
    }
    out.extend_from_slice(tail);
}

/// What follows the text: stream, time, end of line.
pub fn tail(stream: &str, time: &str) -> Vec<u8> {
    format!("\",\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n").into_bytes()
}

/// Escape as docker's logger does: Go's HTML-safe JSON, and each byte that is no UTF-8 becomes U+FFFD.
fn append_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        append_valid(out, chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice(br"\ufffd");
        }
    }
}

fn append_valid(out: &mut Vec<u8>, mut text: &[u8]) {
    while let Some(at) = text.iter().position(|&byte| SUSPECT[usize::from(byte)]) {
        let (plain, rest) = text.split_at(at);
        out.extend_from_slice(plain);
        text = append_one(out, rest);
    }
    out.extend_from_slice(text);
}

/// Append the suspect character that `text` starts with; the rest of the text.
fn append_one<'a>(out: &mut Vec<u8>, text: &'a [u8]) -> &'a [u8] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match *text {
        [b @ (b'"' | b'\\'), ref rest @ ..] => {
            out.extend_from_slice(&[b'\\', b]);
            rest
        }
        [b'\n', ref rest @ ..] => {
            out.extend_from_slice(br"\n");
            rest
        }
        [b'\r', ref rest @ ..] => {
            out.extend_from_slice(br"\r");
            rest
        }
        // U+2028 and U+2029 end lines in JavaScript.
        [0xe2, 0x80, b @ (0xa8 | 0xa9), ref rest @ ..] => {
            out.extend_from_slice(if b == 0xa8 { br"\u2028" } else { br"\u2029" });
            rest
        }
        [0xe2, ref rest @ ..] => {
            out.push(0xe2);
            rest
        }
        [b, ref rest @ ..] => {
            out.extend_from_slice(br"\u00");
            out.extend_from_slice(&[HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
            rest
        }
        [] => text,
    }
}

/// Bytes that may need escaping: controls, quote, backslash, `<`, `>`, `&`, and the first byte of U+2028.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(
            byte as u8,
            0..0x20 | b'"' | b'\\' | b'<' | b'>' | b'&' | 0xe2
        );
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &[u8]) -> String {
        let mut out = Vec::new();
        append_escaped(&mut out, text);
        String::from_utf8(out).expect("always UTF-8")
    }

    #[test]
    fn entry_is_dockers() {
        let mut out = Vec::new();
        append_entry(
            &mut out,
            b"a \"b\"",
            true,
            &tail("stderr", "2026-01-02T03:04:05Z"),
        );
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "{\"log\":\"a \\\"b\\\"\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:05Z\"}\n"
        );
    }

    #[test]
    fn escapes_are_gos() {
        assert_eq!(
            escaped(b"\t\r\n\x1b\x7f<&>\\"),
            "\\u0009\\r\\n\\u001b\x7f\\u003c\\u0026\\u003e\\\\"
        );
        assert_eq!(
            escaped("é € 🦀 \u{2028}\u{2029}\u{202a}".as_bytes()),
            "é € 🦀 \\u2028\\u2029\u{202a}"
        );
    }

    #[test]
    fn each_invalid_byte_is_replaced() {
        assert_eq!(
            escaped(b"a\xffb\xe2\x82c\xf0\x80\x80\x80"),
            r"a\ufffdb\ufffd\ufffdc\ufffd\ufffd\ufffd\ufffd"
        );
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let json = format!("\"{}\"", escaped(text.as_bytes()));
            prop_assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
        }

        #[test]
        fn any_bytes_are_one_line_of_json(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let json = escaped(&bytes);
            prop_assert!(!json.contains('\n'));
            prop_assert!(serde_json::from_str::<String>(&["\"", &json, "\""].concat()).is_ok());
        }
    }
}
