//! Names as they stand in an archive, made into paths below a root.

use crate::{Error, Result, error::show};

/// What Linux takes in one call.
const LONGEST: usize = 4095;
/// Directories in directories; one descriptor each is open while a tree is walked.
pub const DEEPEST: usize = 512;

/// A clean path: no leading slash, no `.`, `..` or empty components; the empty path is the root.
///
/// Leading slashes go, as every tar does it. `..` takes the component before it away, as text.
///
/// # Errors
///
/// [`Error::Refused`] if it would leave the root, or is longer or deeper than any real one.
pub fn clean(raw: &[u8]) -> Result<Vec<u8>> {
    let refused =
        |why: &str| Error::Refused(format!("the archive has the path \"{}\", {why}", show(raw)));
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in raw.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop().ok_or_else(|| refused("which leads outside"))?;
            }
            _ => parts.push(part),
        }
    }
    if parts.len() > DEEPEST {
        return Err(refused(&format!(
            "which is deeper than {DEEPEST} directories"
        )));
    }
    let path = parts.join(&b'/');
    if path.len() > LONGEST {
        return Err(refused(&format!("which is longer than {LONGEST} bytes")));
    }
    Ok(path)
}

/// A clean path's directory and last component; both are empty for the root.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// `name` in `directory`, both clean.
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    match (directory, name) {
        (b"", path) | (path, b"") => path.to_vec(),
        _ => [directory, b"/", name].concat(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cleans() {
        let clean = |raw: &str| {
            clean(raw.as_bytes())
                .ok()
                .map(|path| String::from_utf8_lossy(&path).into_owned())
        };
        assert_eq!(clean("./usr//bin/./sh").as_deref(), Some("usr/bin/sh"));
        assert_eq!(clean("/etc/passwd").as_deref(), Some("etc/passwd"));
        assert_eq!(clean("./").as_deref(), Some(""));
        assert_eq!(clean("a/../b").as_deref(), Some("b"));
        assert_eq!(clean("../b"), None);
        assert_eq!(clean("a/../../b"), None);
        assert_eq!(clean(&"a/".repeat(DEEPEST + 1)), None);
        assert_eq!(clean(&"a".repeat(LONGEST + 1)), None);
    }

    #[test]
    fn splits_and_joins() {
        assert_eq!(split(b"a/b/c"), (&b"a/b"[..], &b"c"[..]));
        assert_eq!(split(b"a"), (&b""[..], &b"a"[..]));
        assert_eq!(join(b"", b"a"), b"a");
        assert_eq!(join(b"a", b"b"), b"a/b");
    }

    proptest! {
        #[test]
        fn nothing_leads_out(raw in "[a./]{0,40}") {
            if let Ok(path) = clean(raw.as_bytes()) {
                let odd = |part: &[u8]| part == b".." || part == b".";
                prop_assert!(!path.split(|byte| *byte == b'/').any(odd));
                prop_assert!(!path.starts_with(b"/") && !path.ends_with(b"/"));
                prop_assert_eq!(clean(&path).expect("clean already"), path);
            }
        }
    }
}
