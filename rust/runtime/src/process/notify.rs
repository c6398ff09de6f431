//! `SCMP_ACT_NOTIFY`: the listener's descriptor goes to whoever answers the calls.

use std::{
    io::IoSlice,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
};

use pyctr_seccomp::Profile;
use serde::Serialize;

use crate::{
    error::{Context, Result},
    state::Oci,
    sync::send_fd,
};

/// The flags of seccomp(2) that a profile comes to; none for one that is invalid.
#[must_use]
pub fn seccomp_flags(profile: &Profile) -> Option<u32> {
    let filter = pyctr_seccomp::compile(profile).ok()?;
    Some(filter.flags())
}

/// Where the listener will be sent, and what will be said with it.
#[derive(Debug)]
pub(crate) struct Receiver {
    socket: UnixStream,
    metadata: String,
    state: Oci,
}

/// The specification's `containerProcessState`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProcessState<'a> {
    oci_version: &'a str,
    fds: [&'static str; 1],
    pid: i32,
    #[serde(skip_serializing_if = "str::is_empty")]
    metadata: &'a str,
    state: &'a Oci,
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Receiver {
    /// Connects to the profile's `listenerPath`, if it has one; its path is the host's.
    pub(crate) fn connect(profile: &Profile, state: Oci) -> Result<Option<Self>> {
        let Some(path) = &profile.listener_path else {
            return Ok(None);
        };
        let socket = UnixStream::connect(Path::new(path)).context(|| {
            format!("failed to connect with seccomp agent at linux.seccomp.listenerPath {path}")
        })?;
        let metadata = profile.listener_metadata.clone().unwrap_or_default();
        Ok(Some(Self {
            socket,
            metadata,
            state,
        }))
    }

    /// The message for a process with this id in the runtime's pid namespace; it is written before the filter is in force.
    pub(crate) fn message(&mut self, pid: i32) -> String {
        self.state.pid = if self.state.pid == 0 {
            pid
        } else {
            self.state.pid
        };
        let state = ProcessState {
            oci_version: &self.state.oci_version,
            fds: ["seccompFd"],
            pid,
            metadata: &self.metadata,
            state: &self.state,
        };
        serde_json::to_string(&state).unwrap_or_default()
    }

    /// Sends message and listener.
    pub(crate) fn send(&self, message: &str, listener: OwnedFd) -> Result<()> {
        let fds: [BorrowedFd<'_>; 1] = [listener.as_fd()];
        send_fd(
            self.socket.as_fd(),
            &[IoSlice::new(message.as_bytes())],
            &fds,
        )
        .context(|| "cannot send the seccomp listener")
    }
}
