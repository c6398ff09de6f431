//! One error for everything here: what was being done to what, why it failed, and what that means to the caller.

use std::{fmt, io};

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::spec::SpecError;

/// Result of most functions here.
pub type Result<T> = std::result::Result<T, Error>;

/// What an error means, for exit codes and for callers that treat some failures specially.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Something could not be set up.
    Setup,
    /// The request or the document is wrong.
    Invalid,
    /// The container's program is there but cannot be executed.
    NotExecutable,
    /// The container's program is not there.
    CommandNotFound,
    /// There is no container of that name.
    NoSuchContainer,
    /// There is one already.
    Exists,
    /// The container is not in a state that allows this.
    State,
}

/// A failure of the runtime; prints as one line without a full stop.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Error {
    kind: Kind,
    message: String,
}

impl Error {
    /// An error with its whole message.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// A failed step of the set-up: `what` was being done, and `cause` is why it failed.
    pub fn setup(what: impl fmt::Display, cause: impl Cause) -> Self {
        Self::new(Kind::Setup, format!("{what}: {}", cause.describe()))
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Docker's exit code: 126 not executable, 127 not found, 125 anything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::NotExecutable => 126,
            Kind::CommandNotFound => 127,
            _ => 125,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<SpecError> for Error {
    fn from(error: SpecError) -> Self {
        Self::new(Kind::Invalid, error.to_string())
    }
}

impl From<pyctr_cgroup::Error> for Error {
    fn from(error: pyctr_cgroup::Error) -> Self {
        let kind = if error.is_invalid() {
            Kind::Invalid
        } else {
            Kind::Setup
        };
        Self::new(kind, error.to_string())
    }
}

/// Anything that can stand after the colon of a message.
pub trait Cause {
    /// The cause as people write it: `no such file or directory`.
    fn describe(&self) -> String;
}

impl Cause for Errno {
    fn describe(&self) -> String {
        io::Error::from(*self).describe()
    }
}

impl Cause for io::Error {
    fn describe(&self) -> String {
        let text = self.to_string();
        text.split(" (os error")
            .next()
            .unwrap_or(&text)
            .to_lowercase()
    }
}

impl Cause for &str {
    fn describe(&self) -> String {
        (*self).to_owned()
    }
}

impl Cause for String {
    fn describe(&self) -> String {
        self.clone()
    }
}

impl Cause for Error {
    fn describe(&self) -> String {
        self.message.clone()
    }
}

/// Says what was being done when a system call failed.
pub trait Context<T> {
    /// Turns the failure into an [`Error`] that starts with `what`.
    ///
    /// # Errors
    /// The one it was given.
    fn context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Cause> Context<T> for std::result::Result<T, E> {
    fn context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|error| Error::setup(what(), error))
    }
}
