//! A program under supervision: the container's own, or an exec's.

use rustix::process::{Pid, WaitStatus};

use crate::{failure::Failure, request::SignalRequest, streams::Streams};
use pyctr_runtime::clock::WallTime;

/// Tells tasks apart; the container's is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskId(pub u32);

/// The container's own program.
pub const CONTAINER: TaskId = TaskId(0);

/// A child and its streams.
#[derive(Debug)]
pub struct Task {
    /// Tells it from the others.
    pub id: TaskId,
    /// The name of an exec, `None` for the container.
    pub exec: Option<String>,
    /// A child that only we reap, so that the number stays its own.
    pub pid: Pid,
    /// Our ends of its streams.
    pub streams: Streams,
    /// When it was started.
    pub started_at: WallTime,
    /// Set once it has been reaped.
    pub ended: Option<Ended>,
}

/// How and when a task ended.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The exit code, or 128 plus the signal.
    pub exit_code: i32,
    /// When we learnt of it.
    pub at: WallTime,
}

impl Ended {
    /// From the status that the kernel gave.
    pub fn now(status: WaitStatus) -> Self {
        let code = status
            .exit_status()
            .or(status.terminating_signal().map(|signal| 128 + signal));
        Self {
            exit_code: code.unwrap_or(255),
            at: WallTime::now(),
        }
    }
}

impl Task {
    /// Send a signal, unless the program has ended.
    pub fn signal(&self, request: &SignalRequest) -> Result<(), Failure> {
        let number = request.signal;
        if self.ended.is_some() {
            return Err(self.has_ended());
        }
        if !(1..=64).contains(&number) {
            return Err(Failure::invalid(format!("no such signal: {number}")));
        }
        pyctr_sys::kill::kill(self.pid, number)
            .map_err(|error| Failure::engine(format!("sending signal {number}: {error}")))
    }

    /// The failure of whatever needs a running program.
    pub fn has_ended(&self) -> Failure {
        let what = self
            .exec
            .as_ref()
            .map_or("container".to_owned(), |id| format!("exec {id}"));
        Failure::new(crate::failure::CONFLICT, format!("{what} has ended"))
    }
}
