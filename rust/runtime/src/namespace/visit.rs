//! Namespaces that the runtime is in for a moment, so that a child is born there.

use std::os::fd::AsFd;

use rustix::{
    io::Errno,
    thread::{LinkNameSpaceType, ThreadNameSpaceType, move_into_link_name_space},
};

use super::{Foreign, join_of, own};
use crate::{
    error::{Context, Result},
    spec::NamespaceType,
};

/// Namespaces that the runtime has joined for a moment, and its own to go back to.
#[derive(Debug, Default)]
pub(super) struct Visit(Vec<Foreign>);

impl Visit {
    pub(super) fn join(&mut self, foreign: &Foreign) -> std::result::Result<(), Errno> {
        let own = Foreign {
            kind: foreign.kind,
            fd: own(foreign.kind)?,
        };
        foreign.join()?;
        self.0.push(own);
        Ok(())
    }

    /// Back to its own.
    pub(super) fn leave(mut self) -> std::result::Result<(), Errno> {
        self.0.drain(..).rev().try_for_each(|own| own.join())
    }

    /// Stays there: this is the child.
    pub(super) fn stay(mut self) {
        self.0.clear();
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // Only after an error, which is the one to tell.
        for own in self.0.drain(..).rev() {
            let _ = own.join();
        }
    }
}

/// Runs `work` while children would be born in the pid namespace of the process behind `pidfd`.
pub(crate) fn with_pid_namespace_of<T>(
    pidfd: impl AsFd,
    work: impl FnOnce() -> Result<T>,
    stays: impl FnOnce(&T) -> bool,
) -> Result<T> {
    let own = own(NamespaceType::Pid).context(|| "cannot open the pid namespace")?;
    join_of(pidfd, ThreadNameSpaceType::PROCESS_ID).context(|| "cannot join the pid namespace")?;
    let done = work();
    if matches!(&done, Ok(value) if stays(value)) {
        return done;
    }
    move_into_link_name_space(own.as_fd(), Some(LinkNameSpaceType::ProcessID))
        .context(|| "cannot return from the pid namespace")?;
    done
}
