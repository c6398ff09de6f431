//! The supervisor of one container: one thread that polls.
//!
//! poll(2) rather than epoll(7): a handful of descriptors whose interest changes with every full buffer, which poll takes as an
//! argument and epoll as a system call each.

mod finish;
mod relay;
mod serve;
mod start;
mod wait;

use std::{collections::VecDeque, os::fd::OwnedFd, path::PathBuf};

use rustix::{
    event::PollFlags,
    io::Errno,
    process::{Pid, Signal, WaitOptions, wait},
};

use crate::{
    client::Client,
    config::Config,
    container::Container,
    daemon::OomScore,
    listen::Listener,
    lock::Lock,
    log::Log,
    request::SignalRequest,
    task::{CONTAINER, Ended, Task, TaskId},
};
pub use start::{Arguments, run};
use wait::{Event, Rest, Source};

/// Conversations at a time; more are hung up on, so that descriptors remain for the work.
const MAX_CLIENTS: usize = 256;

/// Everything a running container needs outside of itself.
#[derive(Debug)]
struct Supervisor {
    bundle: PathBuf,
    config: Config,
    container: Container,
    /// The container's own task and those of execs.
    tasks: Vec<Task>,
    clients: Vec<Client>,
    listener: Listener,
    /// Readable when a child has ended.
    children: OwnedFd,
    log: Option<Log>,
    /// What was just read; empty between events and given back when idle.
    scratch: Vec<u8>,
    last_id: u32,
    /// Names of execs whose records are kept, oldest first.
    exec_records: VecDeque<String>,
    rest: Rest,
    oom_score: OomScore,
    /// Released last, when nothing of the container is left.
    lock: Lock,
}

impl Supervisor {
    /// Serve until the container's program has ended, then clean up.
    fn supervise(mut self) {
        self.hear_birth();
        while !self.container_ended() {
            match self.wait() {
                Ok(events) => events.into_iter().for_each(|event| self.handle(event)),
                // ENOMEM may pass; there is nothing else to do than to try again.
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(10)),
            }
            self.finish_execs();
            self.dismiss_clients();
        }
        self.finish();
    }

    /// What came on the birth socket together with the word to start would not wake us.
    fn hear_birth(&mut self) {
        for id in self
            .clients
            .iter()
            .map(|client| client.id)
            .collect::<Vec<_>>()
        {
            let (source, flags) = (Source::Client(id), PollFlags::IN);
            self.attend(id, &Event { source, flags });
        }
    }

    fn handle(&mut self, event: Event) {
        match event.source {
            Source::Children => self.reap(),
            Source::Listener => self.welcome(),
            Source::Stdin(task) => self.with_task(task, |task| task.streams.flush_stdin()),
            Source::Output(task, stream) => self.relay(task, stream),
            Source::Client(id) => self.attend(id, &event),
            Source::Idle => self.check_bundle(),
        }
    }

    /// Take note of every child that has ended, and bury orphans that execs left to us.
    fn reap(&mut self) {
        let mut signals = [0u8; 1024];
        while rustix::io::read(&self.children, &mut signals).is_ok() {}
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => self.note_end(pid, Ended::now(status)),
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn note_end(&mut self, pid: Pid, ended: Ended) {
        let mut tasks = self.tasks.iter_mut();
        if let Some(task) = tasks.find(|task| task.pid == pid && task.ended.is_none()) {
            task.ended = Some(ended);
        }
    }

    /// A container whose bundle was removed has nobody left to tell: end it.
    fn check_bundle(&mut self) {
        if self.lock.is_orphaned() {
            let _ = self.task(CONTAINER).map(|task| {
                task.signal(&SignalRequest {
                    signal: Signal::KILL.as_raw(),
                    exec: None,
                })
            });
        }
    }

    fn container_ended(&self) -> bool {
        self.task(CONTAINER).is_none_or(|task| task.ended.is_some())
    }

    fn task(&self, id: TaskId) -> Option<&Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    fn with_task(&mut self, id: TaskId, act: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.id == id) {
            act(task);
        }
    }

    fn next_id(&mut self) -> u32 {
        self.last_id += 1;
        self.last_id
    }
}
