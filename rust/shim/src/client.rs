//! One conversation: frames in, frames out, never waiting for the other side.

use std::{
    io::IoSlice,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    io::Errno,
    net::{
        RecvFlags, SendAncillaryBuffer, SendFlags, recv, sendmsg,
        sockopt::{
            set_socket_send_buffer_size, set_socket_send_buffer_size_force, socket_send_buffer_size,
        },
    },
};
use serde::Serialize;

use crate::{
    failure::Failure,
    frame::{Decoder, Frame, FrameError, Kind, header},
    request::Streams,
    task::TaskId,
};

/// Bytes held for a client that does not read; beyond it, the program's output waits.
pub const OUTGOING_LIMIT: usize = 1 << 20;

/// Bytes received at a time.
const RECEIVE: usize = 64 * 1024;

/// What a conversation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its next frame is a REQUEST.
    Asking,
    /// Takes part in the streams of a task and learns how it ends.
    Attached(TaskId, Streams),
    /// Learns how the container ends.
    Waiting,
    /// Gets what is still on its way, then the conversation is over.
    Leaving,
}

/// The peer on one socket.
#[derive(Debug)]
pub struct Client {
    /// Tells it from the others.
    pub id: u32,
    /// What it is here for.
    pub role: Role,
    socket: OwnedFd,
    decoder: Decoder,
    outgoing: Vec<u8>,
    sent: usize,
    /// Whether more may come from it.
    reading: bool,
    /// Whether it can still be sent something.
    writing: bool,
}

impl Client {
    /// The peer on `socket`, a connected stream socket. Its file status flags are left alone.
    pub fn new(id: u32, socket: OwnedFd, role: Role) -> Self {
        Self {
            id,
            role,
            socket,
            decoder: Decoder::default(),
            outgoing: Vec::new(),
            sent: 0,
            reading: true,
            writing: true,
        }
    }

    /// The socket, to poll.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether it may send more.
    pub fn is_reading(&self) -> bool {
        self.reading && self.role != Role::Leaving
    }

    /// Whether something waits to be sent.
    pub fn has_outgoing(&self) -> bool {
        self.sent < self.outgoing.len()
    }

    /// Whether a program's output should wait for it.
    pub fn is_full(&self) -> bool {
        self.outgoing.len() - self.sent >= OUTGOING_LIMIT
    }

    /// Whether it asks and asks but does not read what it is told.
    pub fn ignores_answers(&self) -> bool {
        self.role == Role::Asking && self.is_full()
    }

    /// Whether nothing more can or should be said.
    pub fn is_over(&self) -> bool {
        if self.role == Role::Leaving {
            !self.has_outgoing()
        } else {
            !self.writing && !self.reading
        }
    }

    /// Whether it takes part in this stream of this task.
    pub fn takes(&self, task: TaskId, kind: Kind) -> bool {
        match self.role {
            Role::Attached(of, streams) if of == task => match kind {
                Kind::Stdout => streams.stdout,
                Kind::Stderr => streams.stderr,
                _ => true,
            },
            _ => false,
        }
    }

    /// Send a frame, now or as soon as the peer reads.
    pub fn send(&mut self, kind: Kind, payload: &[u8]) {
        if !self.writing {
            return;
        }
        let header = header(kind, payload.len());
        let mut sent = 0;
        if !self.has_outgoing() {
            sent = self.send_now(&[IoSlice::new(&header), IoSlice::new(payload)]);
        }
        if self.writing && sent < header.len() + payload.len() {
            self.outgoing
                .extend_from_slice(&header[sent.min(header.len())..]);
            self.outgoing
                .extend_from_slice(&payload[sent.saturating_sub(header.len())..]);
        }
    }

    /// Send a frame with a JSON document.
    pub fn send_json(&mut self, kind: Kind, document: &impl Serialize) {
        let text = serde_json::to_vec(document)
            .expect("documents have string keys and no custom serialisation");
        self.send(kind, &text);
    }

    /// Say what could not be done; the conversation goes on only if it is one of requests.
    pub fn fail(&mut self, failure: &Failure) {
        self.send_json(Kind::Error, failure);
    }

    /// Send what is waiting.
    pub fn flush(&mut self) {
        while self.has_outgoing() {
            let outgoing = std::mem::take(&mut self.outgoing);
            let sent = self.send_now(&[IoSlice::new(&outgoing[self.sent..])]);
            self.outgoing = outgoing;
            self.sent += sent;
            if sent == 0 {
                break;
            }
        }
        if !self.has_outgoing() || !self.writing {
            self.outgoing = Vec::new();
            self.sent = 0;
        } else if self.sent >= OUTGOING_LIMIT {
            self.outgoing.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Have the kernel take all that waits: it keeps it for the peer after we are gone.
    ///
    /// Beyond the system's limit on buffers that takes CAP_NET_ADMIN; what does not fit goes on waiting.
    pub fn hand_over(&mut self) {
        self.flush();
        if !self.has_outgoing() {
            return;
        }
        let held = socket_send_buffer_size(&self.socket).unwrap_or(0);
        let room = held + 2 * (self.outgoing.len() - self.sent);
        if set_socket_send_buffer_size_force(&self.socket, room).is_err() {
            let _ = set_socket_send_buffer_size(&self.socket, room);
        }
        self.flush();
    }

    /// Receive once; complete frames are taken with [`Self::next_frame`].
    pub fn receive(&mut self, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.reserve(RECEIVE);
        match recv(
            &self.socket,
            rustix::buffer::spare_capacity(buffer),
            RecvFlags::DONTWAIT,
        ) {
            Ok((0, _)) => self.reading = false,
            Ok(_) => self.decoder.feed(buffer),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.gone(),
        }
    }

    /// The next complete frame.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        self.decoder.next_frame()
    }

    /// The peer has closed its socket: nothing reaches it. What it sent before can still be read.
    pub fn hung_up(&mut self) {
        self.stop_writing();
    }

    fn gone(&mut self) {
        self.reading = false;
        self.stop_writing();
    }

    fn stop_writing(&mut self) {
        self.writing = false;
        self.outgoing = Vec::new();
        self.sent = 0;
    }

    /// How much of the slices went out.
    fn send_now(&mut self, slices: &[IoSlice<'_>]) -> usize {
        loop {
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            match sendmsg(
                &self.socket,
                slices,
                &mut SendAncillaryBuffer::default(),
                flags,
            ) {
                Ok(sent) => return sent,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM) => return 0,
                Err(_) => {
                    self.stop_writing();
                    return 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };

    fn pair() -> (Client, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("socketpair");
        (Client::new(1, ours.into(), Role::Asking), theirs)
    }

    #[test]
    fn a_peer_that_does_not_read_gets_everything_later() {
        let (mut client, mut peer) = pair();
        let payload: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        let mut frames = 0;
        while !client.is_full() {
            client.send(Kind::Stdout, &payload);
            frames += 1;
        }
        let frame = [&header(Kind::Stdout, payload.len())[..], &payload].concat();
        let reader = std::thread::spawn(move || {
            let mut received = vec![0; frames * frame.len()];
            peer.read_exact(&mut received).expect("received");
            received.chunks(frame.len()).all(|part| part == frame)
        });
        while client.has_outgoing() {
            client.flush();
        }
        assert!(reader.join().expect("thread"));
    }

    #[test]
    fn what_was_handed_over_outlives_us() {
        let (mut client, mut peer) = pair();
        let payload = vec![7; 3 * OUTGOING_LIMIT];
        client.send(Kind::Stdout, &payload);
        assert!(client.has_outgoing());
        client.hand_over();
        if client.has_outgoing() {
            return; // without CAP_NET_ADMIN
        }
        drop(client);
        let mut received = Vec::new();
        peer.read_to_end(&mut received).expect("received");
        assert!(received[8..] == payload);
    }

    #[test]
    fn a_peer_that_left_is_over_once_its_words_are_read() {
        let (mut client, mut peer) = pair();
        peer.write_all(&[&header(Kind::Stdin, 2)[..], b"hi"].concat())
            .expect("sent");
        drop(peer);
        client.send(Kind::Stdout, b"to nobody");
        let mut buffer = Vec::new();
        client.receive(&mut buffer);
        assert_eq!(
            client.next_frame().expect("valid").expect("frame").payload,
            b"hi"
        );
        assert!(!client.is_over());
        client.receive(&mut buffer);
        assert!(client.is_over());
    }
}
