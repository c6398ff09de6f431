//! Starting a program that outlives us, from a process with many threads.
//!
//! `fork(2)` in a threaded interpreter copies page tables for milliseconds and leaves locks held for ever in the child. Here two
//! children are nested with `CLONE_VM | CLONE_VFORK`: the outer one exits as soon as the inner one has executed, so the new program
//! is adopted by init (or the nearest subreaper) and can never be our zombie. Nothing is allocated after the first clone.

use std::{
    ffi::{CString, c_char, c_int, c_void},
    io,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
};

/// Bytes of stack for each of the two short-lived children; they call a dozen system calls and nothing deep.
const STACK: usize = 64 * 1024;

/// Highest signal number of the kernel (`_NSIG`).
const LAST_SIGNAL: c_int = 64;

/// What the children need, prepared before the first clone and shared with them through the common address space.
struct Plan<'a> {
    exe: RawFd,
    argv: &'a [*const c_char],
    envp: &'a [*const c_char],
    /// (source, number in the new program); sources are replaced by copies above `floor`.
    fds: &'a mut [(RawFd, RawFd)],
    /// Lowest number that is above every target, so that copies never collide with targets.
    floor: RawFd,
    inner_stack: *mut c_void,
    /// The inner child's failure, 0 if it executed.
    errno: c_int,
}

/// Execute the file behind `exe` in a process of its own session that is nobody's child.
///
/// The program gets `args` (the first one is its name), `env`, the descriptors `fds` as (ours, number there) and `/dev/null` for
/// those of 0, 1 and 2 that are not named; everything else is closed. It starts in `/` with an empty signal mask and default
/// dispositions. Returns once the program runs, or with the error of whichever step failed (execveat(2), dup3(2), clone(2) …).
pub fn detached(
    exe: BorrowedFd<'_>,
    args: &[CString],
    env: &[CString],
    fds: &[(RawFd, RawFd)],
) -> io::Result<()> {
    let argv = pointers(args);
    let envp = pointers(env);
    let mut moves = fds.to_vec();
    if moves.iter().any(|&(_, target)| target < 0) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    let floor = moves
        .iter()
        .map(|&(_, target)| target)
        .max()
        .unwrap_or(0)
        .max(2)
        + 1;
    let mut outer = vec![0u128; STACK / size_of::<u128>()];
    let mut inner = vec![0u128; STACK / size_of::<u128>()];
    let mut plan = Plan {
        exe: exe.as_raw_fd(),
        argv: &argv,
        envp: &envp,
        fds: &mut moves,
        floor,
        inner_stack: top(&mut inner),
        errno: 0,
    };
    let signals = BlockedSignals::all();
    // SAFETY: the stack is big enough, aligned and unused by anyone else; `plan` outlives the child because CLONE_VFORK suspends
    // this thread until the child has exited. The child shares our memory but only touches `plan` and its stack.
    let pid = unsafe {
        libc::clone(
            outer_child,
            top(&mut outer),
            libc::CLONE_VM | libc::CLONE_VFORK,
            (&raw mut plan).cast(),
        )
    };
    let error = io::Error::last_os_error();
    if pid > 0 {
        reap(pid);
    }
    drop(signals);
    match (pid, plan.errno) {
        (..0, _) => Err(error),
        (_, 0) => Ok(()),
        (_, errno) => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Take ownership of a descriptor that this process was started with.
///
/// Fails with EBADF if it is not open. Each number must be taken at most once, and only at start-up.
pub fn inherited(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_SETFD takes no pointer; a wrong number is answered with EBADF.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, and by this function's contract nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A null-terminated array of pointers as execve(2) wants it.
fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// The address a downward-growing stack starts at.
fn top(stack: &mut [u128]) -> *mut c_void {
    stack.as_mut_ptr_range().end.cast()
}

/// Wait for the outer child. It has no exit signal, so only `__WCLONE` sees it and no other waiter of the process can steal it.
fn reap(pid: libc::pid_t) {
    loop {
        // SAFETY: a null status pointer is allowed.
        let waited = unsafe { libc::waitpid(pid, ptr::null_mut(), libc::__WCLONE) };
        if waited >= 0 || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// All signals of this thread blocked until dropped, so that no handler of ours runs inside a child that shares our memory.
struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    fn all() -> Self {
        // SAFETY: both sets are plain data that the calls initialise; SIG_SETMASK with valid pointers cannot fail.
        unsafe {
            let mut all = std::mem::zeroed();
            let mut before = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self(before)
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set was filled by pthread_sigmask.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}

/// Starts the inner child and exits, which orphans it.
extern "C" fn outer_child(plan: *mut c_void) -> c_int {
    // SAFETY: `plan` is the pointer that `detached` passed; its owner is suspended, so this is the only reference.
    let shared = unsafe { &mut *plan.cast::<Plan<'_>>() };
    let stack = shared.inner_stack;
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: as in `detached`; `shared` is not used again before the inner child has executed or exited.
    let pid = unsafe { libc::clone(inner_child, stack, flags, plan) };
    if pid < 0 {
        shared.errno = errno();
    } else if shared.errno != 0 {
        // SAFETY: reaps the child that failed to execute; a null status pointer is allowed.
        unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
    }
    // SAFETY: _exit runs no handlers of the process whose memory is shared.
    unsafe { libc::_exit(0) }
}

/// Becomes the new program.
extern "C" fn inner_child(plan: *mut c_void) -> c_int {
    // SAFETY: as in `outer_child`, which is now suspended.
    let plan = unsafe { &mut *plan.cast::<Plan<'_>>() };
    let Err(errno) = become_program(plan);
    plan.errno = errno;
    // SAFETY: as in `outer_child`.
    unsafe { libc::_exit(127) }
}

/// The steps between clone and exec; answers only with the errno of the one that failed.
fn become_program(plan: &mut Plan<'_>) -> Result<std::convert::Infallible, c_int> {
    // SAFETY: only raw system calls on numbers and on memory that `plan` keeps alive; nothing allocates or takes a lock. The file
    // table is this child's own (no CLONE_FILES), so closing and moving descriptors cannot be seen by the parent.
    unsafe {
        check(libc::setsid())?;
        check(libc::chdir(c"/".as_ptr()))?;
        let exe = check(libc::fcntl(plan.exe, libc::F_DUPFD_CLOEXEC, plan.floor))?;
        for (source, _) in plan.fds.iter_mut() {
            *source = check(libc::fcntl(*source, libc::F_DUPFD_CLOEXEC, plan.floor))?;
        }
        check(libc::syscall(
            libc::SYS_close_range,
            3,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        ) as c_int)?;
        let null = check(libc::open(
            c"/dev/null".as_ptr(),
            libc::O_RDWR | libc::O_CLOEXEC,
        ))?;
        let null = check(libc::fcntl(null, libc::F_DUPFD_CLOEXEC, plan.floor))?;
        for standard in 0..=2 {
            check(libc::dup2(null, standard))?;
        }
        for &(source, target) in plan.fds.iter() {
            check(libc::dup2(source, target))?;
        }
        reset_signals()?;
        let flags = libc::AT_EMPTY_PATH;
        libc::syscall(
            libc::SYS_execveat,
            exe,
            c"".as_ptr(),
            plan.argv.as_ptr(),
            plan.envp.as_ptr(),
            flags,
        );
    }
    Err(errno())
}

/// Default dispositions first, only then an empty mask: a pending signal must not run a handler of the shared memory.
unsafe fn reset_signals() -> Result<(), c_int> {
    // A zeroed `struct sigaction` of the kernel (not libc's, which refuses to touch its own signals 32 and 33) is SIG_DFL.
    let default = [0u64; 4];
    // SAFETY: SIG_DFL needs no code to jump to; KILL and STOP are refused without effect.
    unsafe {
        for signal in 1..=LAST_SIGNAL {
            let action = default.as_ptr();
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                action,
                ptr::null_mut::<u64>(),
                size_of::<u64>(),
            );
        }
        let mut empty = std::mem::zeroed();
        libc::sigemptyset(&raw mut empty);
        check(libc::sigprocmask(
            libc::SIG_SETMASK,
            &raw const empty,
            ptr::null_mut(),
        ))
        .map(drop)
    }
}

/// The result of a system call, or errno.
fn check(result: c_int) -> Result<c_int, c_int> {
    if result < 0 { Err(errno()) } else { Ok(result) }
}

fn errno() -> c_int {
    // SAFETY: libc's errno location is valid in every thread; the children use that of the thread they suspend.
    unsafe { *libc::__errno_location() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{Mode, OFlags, open};
    use std::{fs::File, io::Read, os::fd::AsFd};

    fn spawn(script: &str, fds: &[(RawFd, RawFd)]) -> io::Result<()> {
        let shell = open("/bin/sh", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let args = ["sh", "-c", script].map(|arg| CString::new(arg).expect("no NUL"));
        detached(
            shell.as_fd(),
            &args,
            &[CString::new("WHO=me").expect("no NUL")],
            fds,
        )
    }

    fn output(script: &str) -> String {
        let (read, write) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("pipe");
        spawn(script, &[(write.as_raw_fd(), 7)]).expect("spawns");
        drop(write);
        let mut text = String::new();
        File::from(read).read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn gives_the_named_descriptors_and_no_others() {
        assert_eq!(
            output("cd /proc/self/fd && echo * >&7 && readlink 0 2 >&7"),
            "0 1 2 3 7\n/dev/null\n/dev/null\n"
        );
    }

    #[test]
    fn starts_in_its_own_session_at_the_root_with_a_clean_environment() {
        let text = output(
            "read -r pid _ _ _ _ session _ </proc/self/stat; pwd >&7; echo $((pid == session)) $WHO $HOME >&7",
        );
        assert_eq!(text, "/\n1 me\n");
    }

    #[test]
    fn resets_signals() {
        let text = output(
            "while read -r key value; do case $key in SigBlk:|SigIgn:) echo $value >&7;; esac; done </proc/self/status",
        );
        assert_eq!(text, "0000000000000000\n0000000000000000\n");
    }

    #[test]
    fn is_nobodys_child() {
        let text = output("read -r _ _ _ parent _ </proc/self/stat; echo $parent >&7");
        assert_ne!(text.trim(), std::process::id().to_string());
    }

    #[test]
    fn reports_what_failed() {
        let text =
            open("/etc/passwd", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).expect("open");
        let error =
            detached(text.as_fd(), &[c"passwd".to_owned()], &[], &[]).expect_err("not executable");
        assert_eq!(error.raw_os_error(), Some(libc::EACCES));
        let error = spawn("true", &[(text.as_raw_fd(), -1)]).expect_err("no such number");
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
    }
}
