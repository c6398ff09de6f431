//! Why something could not be done, as clients are told.

use serde::Serialize;

/// Docker's exit code for an engine that failed before the program ran.
pub const ENGINE: u16 = 125;
/// There is no such thing.
pub const NOT_FOUND: u16 = 404;
/// The thing is in no state for this.
pub const CONFLICT: u16 = 409;
/// The request makes no sense.
pub const INVALID: u16 = 400;

/// The payload of an ERROR frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What could not be done and why: lowercase, no full stop.
    pub message: String,
    /// 125, 126 or 127 as docker's exit codes, or 400, 404 or 409 for a request that cannot be served.
    pub code: u16,
}

impl Failure {
    /// A failure with a code of its own.
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code,
        }
    }

    /// A failure before the program ran.
    pub fn engine(message: impl Into<String>) -> Self {
        Self::new(ENGINE, message)
    }

    /// A request that makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(INVALID, message)
    }
}
