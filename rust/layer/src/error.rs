//! What can go wrong with an archive or with the tree it belongs to.

use std::io;

/// An operation on a layer failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused: full disk, no permission, a read error of the input.
    #[error("cannot {doing} \"{path}\": {}", describe(.source))]
    Io {
        /// What was being done, as a verb: "create", "read".
        doing: &'static str,
        /// To what; bytes that are not UTF-8 are shown escaped.
        path: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The archive breaks its own format: truncated, a bad checksum, a field that is no number.
    #[error("{0}")]
    Damaged(String),
    /// The archive is well formed and asks for something that is not done, or more than the limits allow.
    #[error("{0}")]
    Refused(String),
    /// The caller cancelled it.
    #[error("interrupted")]
    Cancelled,
}

/// The result of an operation on a layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Io`] for `path`.
    pub fn io(doing: &'static str, path: &[u8], source: impl Into<io::Error>) -> Self {
        Self::Io {
            doing,
            path: show(path),
            source: source.into(),
        }
    }

    /// The errno behind it, if the system was the one that refused.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Io { source, .. } => source.raw_os_error(),
            _ => None,
        }
    }
}

/// A path for a message: printable, on one line, and not longer than a line should be.
pub fn show(path: &[u8]) -> String {
    const MOST: usize = 200;
    let text = path[..path.len().min(MOST)].escape_ascii().to_string();
    if path.len() > MOST {
        text + "…"
    } else {
        text
    }
}

/// The system's own words, in the house's style: "no space left on device".
fn describe(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_lowercase_and_names_the_path() {
        let error = Error::io("create", b"usr/bin/\xffx", io::Error::from_raw_os_error(28));
        assert_eq!(
            error.to_string(),
            r#"cannot create "usr/bin/\xffx": no space left on device"#
        );
        assert_eq!(error.errno(), Some(28));
    }

    #[test]
    fn shortens_endless_paths() {
        assert!(show(&[b'a'; 5000]).chars().count() == 201);
    }
}
