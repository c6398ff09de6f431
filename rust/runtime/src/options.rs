//! What callers ask for besides the document.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use crate::{
    rootfs::Overlay,
    spec::{Process, Spec},
};

/// A container to be made.
#[derive(Debug)]
pub struct CreateOptions<'a> {
    /// Its name.
    pub id: &'a str,
    /// The bundle, absolute; relative paths of the document count from it.
    pub bundle: &'a Path,
    /// Where containers are known: `state.json` goes to `<state_root>/<id>`.
    pub state_root: &'a Path,
    /// The document.
    pub spec: Spec,
    /// How its program is let go.
    pub gate: Gate,
    /// The program's standard streams, where it gets no terminal; absent means the caller's own.
    pub streams: Option<[OwnedFd; 3]>,
    /// A connected socket to which the terminal's master is sent; absent means that it is handed back.
    pub console_socket: Option<OwnedFd>,
    /// How far descriptors are handed on: of this many from 3 on, the program inherits those without close-on-exec.
    pub preserve_fds: u32,
    /// Layers instead of `root.path`.
    pub overlay: Option<Overlay>,
    /// docker's `--user`, looked up in the container's own files; empty means `process.user`.
    pub user: &'a str,
    /// Make the working directory if it is missing.
    pub create_cwd: bool,
    /// A program to run as the first process, which runs the container's program in turn and reaps orphans.
    pub init: Option<&'a Path>,
    /// Take over a directory that holds the record of a container that has ended.
    pub replace: bool,
    /// Kill the first process when the caller's process dies.
    pub die_with_parent: bool,
    /// Move the root over `/` instead of `pivot_root(2)`.
    pub no_pivot: bool,
    /// Stay in the caller's session keyring.
    pub no_new_keyring: bool,
    /// Let the terminal leave line ends as the program writes them, for a caller whose own terminal makes two characters of them.
    pub bare_lines: bool,
    /// How `cgroupsPath` is read; absent means that the container stays in the caller's cgroups, without limits.
    pub cgroup_driver: Option<pyctr_cgroup::Driver>,
}

impl<'a> CreateOptions<'a> {
    /// With everything else as other runtimes have it by default.
    #[must_use]
    pub fn new(id: &'a str, bundle: &'a Path, state_root: &'a Path, spec: Spec) -> Self {
        Self {
            id,
            bundle,
            state_root,
            spec,
            gate: Gate::Caller,
            streams: None,
            console_socket: None,
            preserve_fds: 0,
            overlay: None,
            user: "",
            create_cwd: false,
            init: None,
            replace: false,
            die_with_parent: false,
            no_pivot: false,
            no_new_keyring: false,
            bare_lines: false,
            cgroup_driver: Some(pyctr_cgroup::Driver::default()),
        }
    }
}

/// Who lets the container's program run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The caller, by [`Created::start`](crate::Created::start).
    Caller,
    /// Any process, by [`Container::start`](crate::Container::start), through a FIFO in the container's directory.
    Fifo,
}

/// A process to be added to a container.
#[derive(Debug)]
pub struct ExecOptions<'a> {
    /// What to run.
    pub process: &'a Process,
    /// docker's `--user`, looked up in the container's own files; empty means `process.user`.
    pub user: &'a str,
    /// Make the working directory if it is missing.
    pub create_cwd: bool,
    /// The program's standard streams, where it gets no terminal; absent means the caller's own.
    pub streams: Option<[OwnedFd; 3]>,
    /// A connected socket to which the terminal's master is sent; absent means that it is handed back.
    pub console_socket: Option<OwnedFd>,
    /// Let the terminal leave line ends as the program writes them, for a caller whose own terminal makes two characters of them.
    pub bare_lines: bool,
    /// How far descriptors are handed on: of this many from 3 on, the program inherits those without close-on-exec.
    pub preserve_fds: u32,
    /// Kill the process when the caller's process dies.
    pub die_with_parent: bool,
    /// Groups below the container's cgroup, instead of the one its first process is in: controllers (`cpu,cpuacct`; none for
    /// every hierarchy) and a path.
    pub cgroups: Vec<(Option<&'a str>, &'a str)>,
    /// Run it even if the container is paused; it stands still until that ends.
    pub ignore_paused: bool,
}

impl<'a> ExecOptions<'a> {
    /// With everything else as other runtimes have it by default.
    #[must_use]
    pub fn new(process: &'a Process) -> Self {
        Self {
            process,
            user: "",
            create_cwd: false,
            streams: None,
            console_socket: None,
            bare_lines: false,
            preserve_fds: 0,
            die_with_parent: false,
            cgroups: Vec::new(),
            ignore_paused: false,
        }
    }
}

/// A process that the caller has started, and has to wait for.
#[derive(Debug)]
pub struct Child {
    /// Its id in the caller's pid namespace.
    pub pid: rustix::process::Pid,
    /// A descriptor for it, readable once it has ended.
    pub pidfd: OwnedFd,
    /// The master of its terminal, if it has one and it was not sent elsewhere.
    pub console: Option<OwnedFd>,
    /// What was done differently than asked.
    pub warnings: Vec<String>,
}

impl AsFd for Child {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}
