//! A process that cannot be mistaken for another one with the same number: number and start time.

use std::{fs, os::fd::OwnedFd};

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};
use serde::{Deserialize, Serialize};

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks after boot (`proc_pid_stat(5)`, field 22).
    pub start_time: u64,
}

impl Identity {
    /// Of a process that surely exists, such as a child that was not waited for.
    pub(crate) fn of(pid: Pid) -> Result<Self, Errno> {
        let pid = pid.as_raw_nonzero().get();
        let stat = Stat::read(pid).ok_or(Errno::SRCH)?;
        Ok(Self {
            pid,
            start_time: stat.start_time,
        })
    }

    /// A descriptor for the process; `None` if it has ended, as a zombie too.
    #[must_use]
    pub fn open(&self) -> Option<OwnedFd> {
        let pidfd = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // Looked at after it was opened: if the process is the right one now, the descriptor is its.
        self.is_alive().then_some(pidfd)
    }

    /// Whether the process has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| {
            stat.start_time == self.start_time && !matches!(stat.state, b'Z' | b'X')
        })
    }
}

/// What is needed of `/proc/<pid>/stat`.
struct Stat {
    state: u8,
    start_time: u64,
}

impl Stat {
    fn read(pid: i32) -> Option<Self> {
        Self::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name of the program stands in parentheses and may itself hold any of `) `.
    fn parse(line: &[u8]) -> Option<Self> {
        let end = line.iter().rposition(|byte| *byte == b')')?;
        let fields: Vec<&[u8]> = line.get(end + 2..)?.split(|byte| *byte == b' ').collect();
        let state = *fields.first()?.first()?;
        let start_time = std::str::from_utf8(fields.get(19)?).ok()?.parse().ok()?;
        Some(Self { state, start_time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_look_like_anything() {
        let line = b"7 (a) S (b) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20\n";
        let stat = Stat::parse(line).expect("parsed");
        assert_eq!((stat.state, stat.start_time), (b'Z', 4242));
        assert!(Stat::parse(b"7 (x").is_none());
    }

    #[test]
    fn a_wrong_start_time_is_another_process() {
        let own = Identity::of(rustix::process::getpid()).expect("we exist");
        assert!(own.open().is_some());
        assert!(
            Identity {
                start_time: own.start_time + 1,
                ..own
            }
            .open()
            .is_none()
        );
    }
}
