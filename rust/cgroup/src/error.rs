//! What can go wrong with a control group, said for people.

use std::{fmt, io, path::PathBuf};

/// Result of every call here.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed operation on a control group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine mounts no control group hierarchy.
    #[error("no cgroup hierarchy is mounted")]
    NoHierarchy,
    /// None of the hierarchies may be written to.
    #[error(
        "cannot make cgroup {path}: no cgroup hierarchy is writable (as an ordinary user, ask systemd to delegate one)"
    )]
    NotWritable {
        /// As asked for.
        path: String,
    },
    /// No hierarchy holds the group.
    #[error("no such cgroup: {path}")]
    NotFound {
        /// As asked for.
        path: String,
    },
    /// A new group was asked for where an old one still has processes.
    #[error("container's cgroup is not empty: {path} is in use by other processes")]
    Populated {
        /// As asked for.
        path: String,
    },
    /// A path that is no cgroup path.
    #[error("cgroup path {path:?} {reason}")]
    Path {
        /// As asked for.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file or directory could not be used.
    #[error("cannot {action} {path}: {}", Cause(source))]
    Io {
        /// What was being done: `read`, `open`, `make` …
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel refused a limit.
    #[error("cannot set {key} to {value:?}: {}{hint}", Cause(source))]
    Refused {
        /// The file, such as `pids.max`.
        key: String,
        /// What was written.
        value: String,
        /// More for the reader, starting with punctuation; may be empty.
        hint: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A limit that makes no sense, found before the kernel was asked.
    #[error("{key}: {reason}")]
    Invalid {
        /// The member of `linux.resources`, such as `cpu.shares`.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A limit was asked for whose controller this machine or this group does not have.
    #[error("cannot set {key}: the {controller} cgroup controller is not available")]
    Unavailable {
        /// The member of `linux.resources`.
        key: String,
        /// The controller.
        controller: String,
    },
    /// Something that one version of control groups cannot do.
    #[error("cannot set {key}: cgroup {version} has no such limit")]
    Unsupported {
        /// The member of `linux.resources`.
        key: &'static str,
        /// `v1` or `v2`.
        version: &'static str,
    },
    /// A file held something unexpected.
    #[error("cannot understand {path}: {content:?}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// What was found there.
        content: String,
    },
    /// The tasks did not all stop in time; they have been let go again.
    #[error("cannot freeze cgroup {path}: its processes did not stop in time")]
    FreezeTimeout {
        /// The group.
        path: String,
    },
    /// Several things failed, each reported.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<Error>),
}

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self::Io {
            action,
            path: path.into(),
            source: source.into(),
        }
    }

    pub(crate) fn parse(path: impl Into<PathBuf>, content: impl Into<String>) -> Self {
        Self::Parse {
            path: path.into(),
            content: content.into(),
        }
    }

    /// The kernel's answer, where there was one.
    pub fn source_io(&self) -> Option<&io::Error> {
        match self {
            Self::Io { source, .. } | Self::Refused { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The errno of the kernel's answer.
    pub(crate) fn errno(&self) -> Option<rustix::io::Errno> {
        self.source_io().and_then(rustix::io::Errno::from_io_error)
    }

    /// The group is not there, or not any more.
    pub fn is_not_found(&self) -> bool {
        // A file opened before its group was removed answers ENODEV.
        matches!(self, Self::NotFound { .. })
            || matches!(
                self.errno(),
                Some(rustix::io::Errno::NOENT | rustix::io::Errno::NODEV)
            )
    }

    /// The caller may not do this.
    pub fn is_permission(&self) -> bool {
        use rustix::io::Errno;
        matches!(self, Self::NotWritable { .. })
            || matches!(
                self.errno(),
                Some(Errno::ACCESS | Errno::PERM | Errno::ROFS)
            )
    }

    /// The request itself is wrong, whatever the machine.
    pub fn is_invalid(&self) -> bool {
        matches!(
            self,
            Self::Path { .. } | Self::Invalid { .. } | Self::Unsupported { .. }
        ) || matches!(self, Self::Refused { source, .. } if source.kind() == io::ErrorKind::InvalidInput)
    }

    /// Nothing, the one error, or all of them.
    pub(crate) fn collect(mut errors: Vec<Error>) -> Result<()> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several(errors)),
        }
    }
}

/// Prints an errno as people write it: `invalid argument`, not `Invalid argument (os error 22)`.
struct Cause<'a>(&'a io::Error);

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        f.write_str(
            &text
                .split(" (os error")
                .next()
                .unwrap_or(&text)
                .to_lowercase(),
        )
    }
}
