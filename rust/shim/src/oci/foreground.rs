//! Staying with a program until it ends: signals go to it, its terminal is passed on, its exit status becomes ours.

use std::{
    io::IsTerminal as _,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use pyctr_runtime::{
    Child,
    spec::{ConsoleSize, Process, Spec},
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    io::{Errno, read, write},
    process::{Signal, WaitOptions, pidfd_send_signal, set_child_subreaper, wait},
    stdio::{stdin, stdout},
    termios::{
        OptionalActions, OutputModes, Termios, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
    },
};

use super::{Failure, Outcome};

/// Signals that are about us, not for the program.
const OWN: [i32; 10] = [4, 5, 7, 8, 9, 11, 17, 19, 21, 22];

/// [`check_process`] for the first process of a document.
pub fn check_terminal(spec: &Spec, has_socket: bool, detach: bool) -> Result<(), Failure> {
    spec.process
        .as_ref()
        .map_or(Ok(()), |process| check_process(process, has_socket, detach))
}

/// A terminal needs somebody who holds its other end.
pub fn check_process(process: &Process, has_socket: bool, detach: bool) -> Result<(), Failure> {
    if process.terminal && detach && !has_socket {
        return Err(Failure::new(
            "a detached container with a terminal needs --console-socket",
        ));
    }
    Ok(())
}

/// The size that a terminal of the program's begins with: that of ours, unless its document says another.
pub fn size_terminal(process: &mut Process, has_socket: bool) {
    if !process.terminal || has_socket || process.console_size.is_some() {
        return;
    }
    if let Ok(size) = tcgetwinsize(stdin()) {
        process.console_size = Some(ConsoleSize {
            height: size.ws_row,
            width: size.ws_col,
        });
    }
}

/// To be called before the program starts. In the foreground orphans of the container come to us, and signals wait to be
/// taken; `detach` leaves both as they are.
pub fn prepare(detach: bool) -> Result<(), Failure> {
    if !detach {
        set_child_subreaper(Some(rustix::process::getpid())).map_err(Failure::from_display)?;
        pyctr_sys::signals::block_all();
    }
    Ok(())
}

/// Waits for the program and gives its exit status, 128 and the signal's number if one killed it.
pub fn attend(child: &Child) -> Outcome {
    let all: Vec<i32> = (1..=31)
        .filter(|number| !matches!(number, 9 | 19))
        .collect();
    let signals = pyctr_sys::sigfd::signalfd(&all).map_err(Failure::from_display)?;
    match &child.console {
        Some(master) => Terminal::open(master)?.attend(child, &signals),
        None => attend_plain(child, &signals),
    }
}

fn attend_plain(child: &Child, signals: &OwnedFd) -> Outcome {
    loop {
        wait_for(&[child.pidfd.as_fd(), signals.as_fd()], &[])?;
        for number in pending(signals) {
            forward(child, number);
        }
        if let Some(status) = bury(child)? {
            return Ok(status);
        }
    }
}

/// The numbers of all signals that have arrived, from `struct signalfd_siginfo` (signalfd(2)).
fn pending(signals: &OwnedFd) -> Vec<i32> {
    let mut records = [0; 128 * 16];
    let length = read(signals, &mut records).unwrap_or(0);
    let number = |record: &[u8]| i32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
    records[..length].chunks_exact(128).map(number).collect()
}

fn forward(child: &Child, number: i32) {
    if !OWN.contains(&number)
        && let Some(signal) = Signal::from_named_raw(number)
    {
        // It may have ended just now.
        let _ = pidfd_send_signal(&child.pidfd, signal);
    }
}

/// Takes the exit status of everybody who has ended: orphans of the container too, since they came to us. Gives that of
/// the program if it is among them.
fn bury(child: &Child) -> Result<Option<u8>, Failure> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child.pid => {
                let code = status
                    .exit_status()
                    .or_else(|| status.terminating_signal().map(|signal| 128 + signal));
                return Ok(code.map(|code| u8::try_from(code).unwrap_or(255)));
            }
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return Ok(None),
            Err(errno) => {
                return Err(Failure::new(format!(
                    "cannot wait for the container: {errno}"
                )));
            }
        }
    }
}

/// Which of these can be read, after waiting until one can or one of `writers` can be written.
fn wait_for(readers: &[BorrowedFd<'_>], writers: &[BorrowedFd<'_>]) -> Result<Vec<bool>, Failure> {
    let reader = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
    let writer = |fd| PollFd::from_borrowed_fd(fd, PollFlags::OUT);
    let mut fds: Vec<_> = readers
        .iter()
        .copied()
        .map(reader)
        .chain(writers.iter().copied().map(writer))
        .collect();
    match poll(&mut fds, None) {
        Ok(_) => Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect()),
        Err(Errno::INTR) => Ok(vec![false; fds.len()]),
        Err(errno) => Err(Failure::from_display(errno)),
    }
}

/// Our own terminal in raw mode, and the master of the program's.
struct Terminal<'a> {
    master: &'a OwnedFd,
    /// What to set our terminal to in the end.
    before: Option<Termios>,
    /// Input that the program has not taken yet.
    input: Vec<u8>,
    input_open: bool,
    output_open: bool,
}

impl<'a> Terminal<'a> {
    fn open(master: &'a OwnedFd) -> Result<Self, Failure> {
        let flags = fcntl_getfl(master).map_err(Failure::from_display)?;
        fcntl_setfl(master, flags | OFlags::NONBLOCK).map_err(Failure::from_display)?;
        let mut before = None;
        if std::io::stdin().is_terminal() {
            let modes = tcgetattr(stdin()).map_err(Failure::from_display)?;
            let mut raw = modes.clone();
            raw.make_raw();
            raw.output_modes.insert(OutputModes::OPOST);
            tcsetattr(stdin(), OptionalActions::Drain, &raw).map_err(Failure::from_display)?;
            before = Some(modes);
        }
        let terminal = Self {
            master,
            before,
            input: Vec::new(),
            input_open: true,
            output_open: true,
        };
        terminal.resize();
        Ok(terminal)
    }

    fn resize(&self) {
        if self.before.is_some()
            && let Ok(size) = tcgetwinsize(stdin())
        {
            let _ = tcsetwinsize(self.master, size);
        }
    }

    fn attend(mut self, child: &Child, signals: &OwnedFd) -> Outcome {
        loop {
            let mut readers = vec![child.pidfd.as_fd(), signals.as_fd()];
            if self.output_open {
                readers.push(self.master.as_fd());
            }
            // Read on only when the last input is gone, so that it does not pile up.
            let reads_input = self.input_open && self.input.is_empty();
            if reads_input {
                readers.push(stdin());
            }
            let writers = if self.input.is_empty() {
                vec![]
            } else {
                vec![self.master.as_fd()]
            };
            let ready = wait_for(&readers, &writers)?;
            let (readers, writers) = ready.split_at(readers.len());
            if readers[1] {
                self.handle(child, signals);
            }
            if self.output_open && readers[2] {
                self.pass_output()?;
            }
            if reads_input && readers.last() == Some(&true) {
                self.take_input();
            }
            if writers.contains(&true) {
                self.pass_input();
            }
            if let Some(status) = bury(child)? {
                // What it wrote last is still in the terminal.
                while self.output_open && self.pass_output()? {}
                return Ok(status);
            }
        }
    }

    fn handle(&self, child: &Child, signals: &OwnedFd) {
        for number in pending(signals) {
            if number == Signal::WINCH.as_raw() {
                self.resize();
            } else {
                forward(child, number);
            }
        }
    }

    /// Passes on what can be read now; false if that was nothing.
    fn pass_output(&mut self) -> Result<bool, Failure> {
        let mut buffer = [0; 16 * 1024];
        match read(self.master, &mut buffer) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            // EIO: nobody has the other end open any more.
            Ok(0) | Err(_) => {
                self.output_open = false;
                Ok(false)
            }
            Ok(length) => {
                let mut rest = &buffer[..length];
                while !rest.is_empty() {
                    match write(stdout(), rest) {
                        Err(Errno::INTR) => {}
                        Err(errno) => {
                            return Err(Failure::new(format!(
                                "cannot write to standard output: {errno}"
                            )));
                        }
                        Ok(written) => rest = &rest[written..],
                    }
                }
                Ok(true)
            }
        }
    }

    fn take_input(&mut self) {
        let mut buffer = [0; 4096];
        match read(stdin(), &mut buffer) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(0) | Err(_) => self.input_open = false,
            Ok(length) => self.input.extend_from_slice(&buffer[..length]),
        }
    }

    fn pass_input(&mut self) {
        match write(self.master, &self.input) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.input.clear(),
            Ok(written) => drop(self.input.drain(..written)),
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = tcsetattr(stdin(), OptionalActions::Drain, before);
        }
    }
}
