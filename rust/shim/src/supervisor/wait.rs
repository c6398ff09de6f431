//! Waiting for the next thing to happen.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::{MAX_CLIENTS, Supervisor};
use crate::{log::Stream, task::TaskId};

/// Quiet for this long, a supervisor gives its memory back. Short-lived containers never pay for that.
const BEFORE_REST: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

/// How often a resting supervisor looks whether its bundle is still there.
const WHILE_RESTING: Timespec = Timespec {
    tv_sec: 60,
    tv_nsec: 0,
};

/// Where something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A child has ended.
    Children,
    /// Somebody wants to talk.
    Listener,
    /// A program takes input.
    Stdin(TaskId),
    /// A program has written.
    Output(TaskId, Stream),
    /// A client has written, takes output, or has left.
    Client(u32),
    /// Nothing happened for long.
    Idle,
}

/// What happened there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) source: Source,
    pub(super) flags: PollFlags,
}

/// How far a quiet supervisor has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Rest {
    /// Something happened a moment ago.
    #[default]
    Awake,
    /// Memory was given back.
    Resting,
}

impl Supervisor {
    /// Block until something happens.
    pub(super) fn wait(&mut self) -> rustix::io::Result<Vec<Event>> {
        if self.rest == Rest::Resting {
            self.shrink();
        }
        let resting = self.rest == Rest::Resting;
        let interests = self.interests();
        let mut fds: Vec<_> = interests
            .iter()
            .map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags))
            .collect();
        let polled = if resting {
            pyctr_sys::lean::poll(&mut fds, Some(&WHILE_RESTING))
        } else {
            poll(&mut fds, Some(&BEFORE_REST))
        };
        let ready = match polled {
            Err(Errno::INTR) => Vec::new(),
            Err(error) => return Err(error),
            Ok(_) => collect(&interests, &fds),
        };
        drop(fds);
        self.rest = if ready.is_empty() {
            Rest::Resting
        } else {
            Rest::Awake
        };
        Ok(if ready.is_empty() && resting {
            vec![Event {
                source: Source::Idle,
                flags: PollFlags::empty(),
            }]
        } else {
            ready
        })
    }

    /// What to poll for now: everything except what a full buffer forbids.
    fn interests(&self) -> Vec<(Source, BorrowedFd<'_>, PollFlags)> {
        let mut interests = vec![(Source::Children, self.children.as_fd(), PollFlags::IN)];
        if self.clients.len() < MAX_CLIENTS {
            interests.push((Source::Listener, self.listener.as_fd(), PollFlags::IN));
        }
        for task in &self.tasks {
            if let Some(fd) = task
                .streams
                .stdin
                .as_ref()
                .and_then(|stdin| stdin.pending())
            {
                interests.push((Source::Stdin(task.id), fd, PollFlags::OUT));
            }
            for output in task
                .streams
                .outputs
                .iter()
                .filter(|output| !self.must_wait(task.id, output.stream))
            {
                interests.push((
                    Source::Output(task.id, output.stream),
                    output.fd.as_fd(),
                    PollFlags::IN,
                ));
            }
        }
        for client in &self.clients {
            let mut flags = PollFlags::empty();
            let blocked = self.input_must_wait(client);
            flags.set(
                PollFlags::IN,
                client.is_reading() && !blocked && !client.ignores_answers(),
            );
            flags.set(PollFlags::OUT, client.has_outgoing());
            // One that left while its input waits would be reported again and again.
            if !(blocked && flags.is_empty()) {
                interests.push((Source::Client(client.id), client.fd(), flags));
            }
        }
        interests
    }

    /// Give back memory that only bursts need, and use the quiet for what need not be done at once.
    fn shrink(&mut self) {
        self.scratch = Vec::new();
        if let Some(log) = &mut self.log {
            log.shrink();
        }
        self.oom_score.lower();
    }
}

fn collect(interests: &[(Source, BorrowedFd<'_>, PollFlags)], fds: &[PollFd<'_>]) -> Vec<Event> {
    let pairs = interests.iter().zip(fds).map(|(&(source, ..), fd)| Event {
        source,
        flags: fd.revents(),
    });
    pairs.filter(|event| !event.flags.is_empty()).collect()
}
