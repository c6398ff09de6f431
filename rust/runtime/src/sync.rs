//! The conversation between the runtime and the process that becomes the container.
//!
//! A pair of sequenced-packet sockets: a packet is one tag byte, a text and at most one descriptor. Both ends are close-on-exec,
//! so the end of the stream tells the runtime that the container's program runs.

use std::{
    io::{IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
};

use crate::error::{Error, Kind, Result};

/// Longest text in a packet; longer ones are cut.
const MAX_TEXT: usize = 4096;

/// What a packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    /// To the child: its user namespace has its maps.
    Maps = b'm',
    /// To the runtime: everything is mounted, the hooks may run. To the child: they have.
    Hooks = b'h',
    /// To the runtime: nothing is left to do but the program. To the child: do it.
    Start = b's',
    /// To the runtime: something was done differently than asked, in a text.
    Warning = b'w',
    /// To the runtime: the master of the terminal, as a descriptor.
    Console = b't',
    /// To the runtime: the process id of a grandchild, as a text.
    Pid = b'p',
    /// To the runtime: the end, with an [`Error`] as JSON.
    Failed = b'f',
}

impl Tag {
    fn from_byte(byte: u8) -> Option<Self> {
        let all = [
            Self::Maps,
            Self::Hooks,
            Self::Start,
            Self::Warning,
            Self::Console,
            Self::Pid,
            Self::Failed,
        ];
        all.into_iter().find(|tag| *tag as u8 == byte)
    }
}

/// One packet.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) tag: Tag,
    pub(crate) text: String,
    pub(crate) fd: Option<OwnedFd>,
}

/// One end of the conversation.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

/// The descriptor itself, to be kept open up to the last `execve`.
impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Channel {
    /// Both ends.
    pub(crate) fn pair() -> std::result::Result<(Self, Self), Errno> {
        let (one, other) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(one), Self(other)))
    }

    /// Says something without a text.
    pub(crate) fn send(&self, tag: Tag) -> std::result::Result<(), Errno> {
        self.send_with(tag, "", None)
    }

    /// Says something with a text and perhaps a descriptor.
    pub(crate) fn send_with(
        &self,
        tag: Tag,
        text: &str,
        fd: Option<BorrowedFd<'_>>,
    ) -> std::result::Result<(), Errno> {
        let text = &text.as_bytes()[..text.len().min(MAX_TEXT)];
        send_fd(
            self.0.as_fd(),
            &[IoSlice::new(&[tag as u8]), IoSlice::new(text)],
            fd.as_slice(),
        )
    }

    /// Waits for the next packet; `None` once the other end is gone.
    pub(crate) fn receive(&self) -> std::result::Result<Option<Packet>, Errno> {
        let mut bytes = [0; MAX_TEXT + 1];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = loop {
            match recvmsg(
                &self.0,
                &mut [IoSliceMut::new(&mut bytes)],
                &mut control,
                flags,
            ) {
                Err(Errno::INTR) => {}
                // The other end died with something of ours unread.
                Err(Errno::CONNRESET) => return Ok(None),
                other => break other?.bytes,
            }
        };
        let Some((tag, text)) = bytes[..received].split_first() else {
            return Ok(None);
        };
        let fd = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        let tag = Tag::from_byte(*tag).ok_or(Errno::PROTO)?;
        Ok(Some(Packet {
            tag,
            text: String::from_utf8_lossy(text).into_owned(),
            fd,
        }))
    }

    /// Waits until the other end says `tag`.
    pub(crate) fn expect(&self, tag: Tag) -> Result<()> {
        match self.receive() {
            Ok(Some(packet)) if packet.tag == tag => Ok(()),
            Ok(Some(packet)) => Err(Error::setup(
                "cannot talk to the runtime",
                format!("unexpected {:?}", packet.tag),
            )),
            Ok(None) => Err(Error::setup("cannot talk to the runtime", "it is gone")),
            Err(errno) => Err(Error::setup("cannot talk to the runtime", errno)),
        }
    }

    /// Tells the runtime that something was done differently than asked; nothing to be done if it is gone.
    pub(crate) fn warn(&self, warning: &str) {
        let _ = self.send_with(Tag::Warning, warning, None);
    }

    /// Tells the runtime why it is over.
    pub(crate) fn fail(&self, error: &Error) {
        let text = serde_json::to_string(error).unwrap_or_default();
        let _ = self.send_with(Tag::Failed, &text, None);
    }
}

/// The error in a [`Tag::Failed`] packet.
pub(crate) fn failure(text: &str) -> Error {
    serde_json::from_str(text).unwrap_or_else(|_| Error::new(Kind::Setup, text))
}

/// Sends bytes with descriptors over a Unix socket.
///
/// # Errors
/// Those of `sendmsg(2)`; a peer that is gone is `EPIPE`, without a signal.
pub fn send_fd(
    socket: BorrowedFd<'_>,
    bytes: &[IoSlice<'_>],
    fds: &[BorrowedFd<'_>],
) -> std::result::Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::NOBUFS);
    }
    loop {
        match sendmsg(socket, bytes, &mut control, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            other => return other.map(drop),
        }
    }
}
