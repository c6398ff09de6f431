//! Becoming a process that belongs to nobody's terminal, session or signals.

use std::{ffi::CString, io, os::fd::OwnedFd};

use pyctr_sys::sched::{self, SchedAttr};
use rustix::{
    fs::{Mode, OFlags, open},
    process::{Signal, chdir, getpid, getsid, set_child_subreaper, setsid, umask},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
    thread::{CpuSet, sched_setaffinity},
};

/// Leave the starter's session, directory, files, signals and scheduling. Answers with a descriptor that is readable when a child has ended.
///
/// Every signal is blocked for good: a supervisor ends with its container or by SIGKILL. SIGPIPE is then an error of the write.
/// As subreaper it also inherits what execs leave behind in the host's pid namespace, so that nothing stays a zombie.
pub fn become_daemon() -> io::Result<OwnedFd> {
    pyctr_sys::signals::block_all();
    let children = pyctr_sys::sigfd::signalfd(&[Signal::CHILD.as_raw()])?;
    if getsid(None)? != getpid() {
        setsid()?;
    }
    chdir("/")?;
    umask(Mode::from_raw_mode(0o022));
    let null = open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    set_child_subreaper(Some(getpid()))?;
    forget_scheduling();
    Ok(children)
}

/// Run as a process does that nobody has changed: it must not matter to a container who started it. Whoever may not, stays as it is.
fn forget_scheduling() {
    let mut everywhere = CpuSet::new();
    for cpu in 0..CpuSet::MAX_CPU {
        everywhere.set(cpu);
    }
    let _ = sched::set_attr(&SchedAttr::default());
    let _ = sched::set_io_priority(0, 0);
    let _ = sched_setaffinity(None, &everywhere);
    let _ = sched::set_personality(0);
}

/// Show the container's short id where `ps` and `top` show names.
pub fn set_name(id: &str) {
    let short = id.get(..12).unwrap_or(id);
    if let Ok(name) = CString::new(format!("py:{short}")) {
        // Only for people; 15 bytes are shown.
        let _ = rustix::thread::set_name(&name);
    }
}

/// How readily the kernel picks this process when memory is short.
#[derive(Debug, Default)]
pub struct OomScore {
    tried: bool,
    /// The value before it was lowered, which programs started from then on must not lose.
    pub before: Option<i32>,
}

impl OomScore {
    /// Ask the kernel to look for other victims, once. Needs CAP_SYS_RESOURCE; without it nothing changes.
    pub fn lower(&mut self) {
        const FILE: &str = "/proc/self/oom_score_adj";
        if std::mem::replace(&mut self.tried, true) {
            return;
        }
        let before = std::fs::read_to_string(FILE);
        if std::fs::write(FILE, "-998").is_ok() {
            self.before = before.ok().and_then(|text| text.trim().parse().ok());
        }
    }
}
