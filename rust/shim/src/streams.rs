//! The supervisor's ends of a program's standard streams: pipes, or a terminal.

use std::os::fd::{AsFd, OwnedFd};

use rustix::{
    fs::{Mode, OFlags, open},
    io::{self, Errno},
    pipe::{PipeFlags, pipe_with},
    termios::{Winsize, tcsetwinsize},
};

use crate::{
    log::Stream,
    request::Streams as Wanted,
    stdin::{Stdin, set_nonblocking},
};

/// Our side of a program's streams.
#[derive(Debug, Default)]
pub struct Streams {
    /// `None` if the program has no input, or no more.
    pub stdin: Option<Stdin>,
    /// Those that are not at their end.
    pub outputs: Vec<Output>,
    terminal: Option<OwnedFd>,
}

/// One direction out of the program.
#[derive(Debug)]
pub struct Output {
    /// Read end of a pipe, or a terminal's master; non-blocking.
    pub fd: OwnedFd,
    /// Which stream it is.
    pub stream: Stream,
}

impl Streams {
    /// Pipes for the streams that are wanted and `/dev/null` for the others; the program's ends as its 0, 1 and 2.
    pub fn pipes(wanted: Wanted) -> io::Result<(Self, [OwnedFd; 3])> {
        let mut streams = Self::default();
        let theirs = [
            if wanted.stdin {
                streams.add_stdin()?
            } else {
                null()?
            },
            if wanted.stdout {
                streams.add_output(Stream::Stdout)?
            } else {
                null()?
            },
            if wanted.stderr {
                streams.add_output(Stream::Stderr)?
            } else {
                null()?
            },
        ];
        Ok((streams, theirs))
    }

    fn add_stdin(&mut self) -> io::Result<OwnedFd> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        self.stdin = Some(Stdin::new(write)?);
        Ok(read)
    }

    fn add_output(&mut self, stream: Stream) -> io::Result<OwnedFd> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
        self.outputs.push(Output::new(read, stream)?);
        Ok(write)
    }

    /// The master of a terminal, which takes input if `stdin`.
    pub fn terminal(master: OwnedFd, stdin: bool) -> io::Result<Self> {
        let output = Output::new(io::fcntl_dupfd_cloexec(&master, 3)?, Stream::Stdout)?;
        let stdin = stdin
            .then(|| Stdin::new(io::fcntl_dupfd_cloexec(&master, 3)?))
            .transpose()?;
        Ok(Self {
            stdin,
            outputs: vec![output],
            terminal: Some(master),
        })
    }

    /// Change the size of the terminal; false if there is none.
    pub fn resize(&self, rows: u16, cols: u16) -> io::Result<bool> {
        let Some(terminal) = &self.terminal else {
            return Ok(false);
        };
        tcsetwinsize(
            terminal,
            Winsize {
                ws_row: rows,
                ws_col: cols,
                ws_xpixel: 0,
                ws_ypixel: 0,
            },
        )?;
        Ok(true)
    }

    /// Pass input on; it is dropped if there is nobody to take it.
    pub fn push_stdin(&mut self, input: &[u8]) {
        if let Some(stdin) = &mut self.stdin {
            stdin.push(input);
        }
        self.flush_stdin();
    }

    /// End the input after what is still on its way. A terminal's input never ends: its end is a character.
    pub fn end_stdin(&mut self) {
        if self.terminal.is_some() {
            return;
        }
        if let Some(stdin) = &mut self.stdin {
            stdin.end();
        }
        self.flush_stdin();
    }

    /// Write what the program takes.
    pub fn flush_stdin(&mut self) {
        let over = self.stdin.as_mut().is_some_and(|stdin| !stdin.flush());
        if over {
            self.stdin = None;
        }
    }
}

impl Output {
    fn new(fd: OwnedFd, stream: Stream) -> io::Result<Self> {
        set_nonblocking(fd.as_fd())?;
        Ok(Self { fd, stream })
    }

    /// Append to `buffer` what can be read now without growing it.
    pub fn read(&self, buffer: &mut Vec<u8>) -> Read {
        loop {
            match io::read(&self.fd, rustix::buffer::spare_capacity(buffer)) {
                Ok(0) => return Read::End,
                Ok(_) => return Read::Some,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Read::Nothing,
                // EIO is how a terminal says that nobody has it open any more.
                Err(_) => return Read::End,
            }
        }
    }
}

/// What reading brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// At least one byte.
    Some,
    /// Nothing at the moment.
    Nothing,
    /// Nothing any more.
    End,
}

fn null() -> io::Result<OwnedFd> {
    open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, poll};
    use std::io::Read as _;

    const ALL: Wanted = Wanted {
        stdin: true,
        stdout: true,
        stderr: true,
    };

    #[test]
    fn input_waits_for_the_reader_and_then_ends() {
        let (mut streams, [stdin, ..]) = Streams::pipes(ALL).expect("pipes");
        let input: Vec<u8> = (0..300_000u32).map(|n| n as u8).collect();
        streams.push_stdin(&input);
        streams.end_stdin();
        assert!(
            streams
                .stdin
                .as_ref()
                .is_some_and(|stdin| stdin.is_full() && stdin.pending().is_some())
        );
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            std::fs::File::from(stdin)
                .read_to_end(&mut all)
                .expect("read");
            all
        });
        while streams.stdin.is_some() {
            streams.flush_stdin();
            std::thread::yield_now();
        }
        assert_eq!(reader.join().expect("thread"), input);
    }

    #[test]
    fn input_for_nobody_is_dropped() {
        let (mut streams, theirs) = Streams::pipes(ALL).expect("pipes");
        drop(theirs);
        streams.push_stdin(b"lost");
        assert!(streams.stdin.is_none());
    }

    #[test]
    fn output_is_read_until_its_end() {
        let (streams, [_stdin, stdout, _stderr]) = Streams::pipes(Wanted {
            stdin: false,
            ..ALL
        })
        .expect("pipes");
        let output = &streams.outputs[0];
        let mut buffer = Vec::with_capacity(16);
        assert_eq!(output.read(&mut buffer), Read::Nothing);
        io::write(&stdout, b"text").expect("written");
        assert_eq!(
            (output.read(&mut buffer), buffer.as_slice()),
            (Read::Some, &b"text"[..])
        );
        drop(stdout);
        assert_eq!(output.read(&mut buffer), Read::End);
    }

    #[test]
    fn terminal_has_a_size_and_echoes_its_input() {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("master");
        grantpt(&master)
            .and_then(|()| unlockpt(&master))
            .expect("unlocked");
        let name = ptsname(&master, Vec::new()).expect("name");
        let slave = open(
            &name,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .expect("slave");
        let mut streams = Streams::terminal(master, true).expect("terminal");
        assert!(streams.resize(10, 20).expect("resized"));
        assert_eq!(
            rustix::termios::tcgetwinsize(&slave).expect("size").ws_col,
            20
        );
        streams.push_stdin(b"hi\n");
        streams.end_stdin();
        assert!(streams.stdin.is_some(), "a terminal stays open");
        // The echo comes from the other side of the terminal, a moment later.
        let mut fds = [PollFd::new(&streams.outputs[0].fd, PollFlags::IN)];
        poll(&mut fds, None).expect("readable");
        let mut buffer = Vec::with_capacity(64);
        assert_eq!(
            (streams.outputs[0].read(&mut buffer), buffer.as_slice()),
            (Read::Some, &b"hi\r\n"[..])
        );
        drop(slave);
        assert_eq!(streams.outputs[0].read(&mut buffer), Read::End);
    }
}
