//! Bytes from programs to clients and the log, and from clients to programs.

use super::Supervisor;
use crate::{
    client::{Client, Role},
    frame::Kind,
    log::Stream,
    streams::Read,
    task::{CONTAINER, TaskId},
};

/// Bytes read at a time: what a pipe holds.
const CHUNK: usize = 64 * 1024;

/// Bytes read at most from an ended program's pipe, which something else may still be writing to.
const DRAIN_LIMIT: usize = 16 << 20;

impl Supervisor {
    /// Pass on what can be read now.
    pub(super) fn relay(&mut self, id: TaskId, stream: Stream) {
        self.relay_some(id, stream);
        self.scratch.clear();
    }

    /// Pass on what an ended program has left in its pipes.
    ///
    /// Its children may hold them open for as long as they like, so this stops when nothing is there at the moment.
    pub(super) fn drain(&mut self, id: TaskId) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let mut drained = 0;
            while drained < DRAIN_LIMIT && self.relay_some(id, stream) == Read::Some {
                drained += self.scratch.len();
            }
        }
        self.scratch.clear();
    }

    fn relay_some(&mut self, id: TaskId, stream: Stream) -> Read {
        let Some(task) = self.tasks.iter_mut().find(|task| task.id == id) else {
            return Read::End;
        };
        let outputs = &mut task.streams.outputs;
        let Some(index) = outputs.iter().position(|output| output.stream == stream) else {
            return Read::End;
        };
        self.scratch.clear();
        self.scratch.reserve_exact(CHUNK);
        let read = outputs[index].read(&mut self.scratch);
        match read {
            Read::Some => self.distribute(id, stream),
            Read::Nothing => {}
            Read::End => drop(outputs.remove(index)),
        }
        read
    }

    fn distribute(&mut self, id: TaskId, stream: Stream) {
        let kind = kind(stream);
        for client in self
            .clients
            .iter_mut()
            .filter(|client| client.takes(id, kind))
        {
            client.send(kind, &self.scratch);
        }
        if let Some(log) = self.log.as_mut().filter(|_| id == CONTAINER) {
            log.write(stream, &self.scratch);
        }
    }

    /// Whether a client of this stream has not read for too long.
    pub(super) fn must_wait(&self, id: TaskId, stream: Stream) -> bool {
        self.clients
            .iter()
            .any(|client| client.is_full() && client.takes(id, kind(stream)))
    }

    /// Whether the program that this client sends input to has not read for too long.
    pub(super) fn input_must_wait(&self, client: &Client) -> bool {
        let Role::Attached(id, streams) = client.role else {
            return false;
        };
        let stdin = self.task(id).and_then(|task| task.streams.stdin.as_ref());
        streams.stdin && stdin.is_some_and(|stdin| stdin.is_full())
    }

    /// Input from a client; an empty frame is its end, which is the program's too if the client owns the input.
    pub(super) fn input(&mut self, client: &Client, bytes: &[u8]) {
        match client.role {
            _ if bytes.is_empty() => self.input_ended(client),
            Role::Attached(id, streams) if streams.stdin => {
                self.with_task(id, |task| task.streams.push_stdin(bytes))
            }
            _ => {}
        }
    }

    /// A client sends no more input. An exec's input is its client's; the container's ends with a client only if it should.
    pub(super) fn input_ended(&mut self, client: &Client) {
        match client.role {
            Role::Attached(id, streams)
                if streams.stdin && (id != CONTAINER || self.config.stdin_once) =>
            {
                self.with_task(id, |task| task.streams.end_stdin());
            }
            _ => {}
        }
    }
}

fn kind(stream: Stream) -> Kind {
    match stream {
        Stream::Stdout => Kind::Stdout,
        Stream::Stderr => Kind::Stderr,
    }
}
