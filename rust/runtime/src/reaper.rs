//! The reaper of `--init`: a first process that runs the container's program, buries orphans and hands signals on.
//!
//! A container's first process gets no signal that it does not handle, and every orphan becomes its child; programs that do not
//! expect that are run below this one instead.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use pyctr_sys::signals;
use rustix::{
    io::Errno,
    process::{
        Pid, Signal, WaitOptions, WaitStatus, getpgrp, ioctl_tiocsctty, kill_process_group, wait,
    },
    stdio::stdin,
    termios::{isatty, tcsetpgrp},
};

/// Signals that tell something about the reaper itself, and are not handed on.
const OWN: [i32; 9] = [4, 5, 7, 8, 11, 17, 21, 22, 31];

/// The name under which the program is the reaper.
pub const NAME: &str = "docker-init";

/// Runs `docker-init [--] PROGRAM ARGS…`; `args` are those after its own name. Ends with the program's exit code, or 128 plus the
/// number of the signal that killed it.
pub fn init_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter().skip_while(|arg| arg == "--");
    let Some(program) = args.next() else {
        eprintln!("{NAME}: there is no program to run");
        return ExitCode::from(125);
    };
    signals::block_all();
    let mut command = Command::new(&program);
    // A group of its own, so that signals reach all of a job.
    command.args(args).process_group(0);
    signals::unblock_for(&mut command);
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("{NAME}: exec: {:?}: {error}", program.to_string_lossy());
            return ExitCode::from(if error.kind() == std::io::ErrorKind::NotFound {
                127
            } else {
                126
            });
        }
    };
    let Some(child) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return ExitCode::from(125);
    };
    give_terminal(child);
    ExitCode::from(serve(child))
}

/// Hands signals on and buries the dead until the program itself is among them.
fn serve(child: Pid) -> u8 {
    loop {
        match signals::wait() {
            Ok(libc_sigchld) if libc_sigchld == Signal::CHILD.as_raw() => {
                if let Some(code) = bury(child) {
                    return code;
                }
            }
            Ok(signal) if !OWN.contains(&signal) => {
                if let Some(signal) = Signal::from_named_raw(signal) {
                    // It may have ended just now.
                    let _ = kill_process_group(child, signal);
                }
            }
            _ => {}
        }
    }
}

/// Waits for everybody who has ended. Gives the exit code of the program if it is one of them.
fn bury(child: Pid) -> Option<u8> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => return Some(exit_code(status)),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return None,
        }
    }
}

fn exit_code(status: WaitStatus) -> u8 {
    let code = status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}

/// The program's group must be the one in front of the terminal, or it stops at its first read.
fn give_terminal(child: Pid) {
    if isatty(stdin()) {
        let _ = ioctl_tiocsctty(stdin());
        if tcsetpgrp(stdin(), child).is_err() {
            let _ = tcsetpgrp(stdin(), getpgrp());
        }
    }
}
