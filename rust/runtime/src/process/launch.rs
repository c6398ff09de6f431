//! From a prepared child inside the container to the container's program.
//!
//! The order matters: what needs rights comes before the user changes, what could fail comes before the gate, and what takes rights
//! away for good comes last.

use std::{
    convert::Infallible,
    ffi::CString,
    os::fd::{AsFd, OwnedFd},
};

use pyctr_seccomp::Filter;
use pyctr_sys::{
    exec::{self, Program},
    root::Root,
    signals,
};
use rustix::{
    fs::Mode,
    io::Errno,
    process::{
        DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal, umask,
    },
    thread::{
        Gid, Uid, set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
        set_thread_res_uid,
    },
};

use super::{
    capability::{self, Sets},
    environment::Environment,
    limits, lookup, lsm, notify, scheduling, stdio, terminal, user, workdir,
};
use crate::{
    error::{Context, Error, Kind, Result},
    hooks,
    procfs::Procfs,
    spec::{Hook, Process, User},
    state::Oci,
    sync::{Channel, Tag},
};

/// What is asked for besides the document's `process`.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) process: &'a Process,
    /// docker's `--user`; empty means `process.user`.
    pub(crate) user: &'a str,
    pub(crate) create_cwd: bool,
    pub(crate) streams: Streams,
    pub(crate) preserve_fds: u32,
    pub(crate) die_with_parent: bool,
    pub(crate) seccomp: Option<Seccomp>,
    pub(crate) start_hooks: &'a [Hook],
    pub(crate) state: &'a Oci,
    pub(crate) procfs: &'a Procfs,
    pub(crate) channel: &'a Channel,
    /// A FIFO from which a byte must be read before the program may run.
    pub(crate) gate: Option<OwnedFd>,
}

/// A filter, and who answers for it.
#[derive(Debug)]
pub(crate) struct Seccomp {
    pub(crate) filter: Filter,
    pub(crate) receiver: Option<notify::Receiver>,
}

/// The standard streams.
#[derive(Debug)]
pub(crate) enum Streams {
    /// As the caller has them.
    Inherit,
    /// These three.
    Given([OwnedFd; 3]),
    /// The container's end of a terminal.
    Terminal(OwnedFd),
}

impl Launch<'_> {
    /// Becomes the program; comes back only with an error, and not at all once descriptors are closed.
    pub(crate) fn run(mut self) -> Result<Infallible> {
        let root = Root::open_dir("/").context(|| "cannot open the container's root")?;
        let (user, environment) = self.account(&root)?;
        self.take_streams(user.uid)?;
        scheduling::apply(self.process)?;
        lsm::apply(self.procfs, self.process, &mut |warning| {
            self.channel.warn(&warning)
        })?;
        let sets = Sets::new(self.process.capabilities.as_ref(), &mut |warning| {
            self.channel.warn(&warning)
        });
        let in_place = self.enter_workdir(&root)?;
        become_user(&user, &sets)?;
        if !in_place && !workdir::enter(&root, &self.process.cwd)? {
            return Err(workdir::denied(&self.process.cwd));
        }
        umask(Mode::from_raw_mode(user.umask.unwrap_or(0o022)));
        let path = lookup::program(&self.process.args[0], environment.get("PATH"))?;
        let env = environment.into_entries();
        let program = Program::new(c_strings(&self.process.args)?, c_strings(&env)?);
        self.die_with_parent()?;
        self.close_descriptors()?;
        // Their owners dangle from here on: nothing may be dropped any more.
        let ready = self
            .wait_for_start()
            .and_then(|pid| self.finish(&sets, pid, &env));
        let error = match ready {
            Ok(()) => lookup::exec_error(&path.to_string_lossy(), program.exec(&path)),
            Err(error) => error,
        };
        self.channel.fail(&error);
        std::process::exit(1)
    }

    /// What comes after the start.
    fn finish(&mut self, sets: &Sets, pid: i32, env: &[String]) -> Result<()> {
        limits::settle(self.process)?;
        self.give_up_rights(sets, pid)?;
        hooks::run(
            "startContainer",
            self.start_hooks,
            &self.state.to_json(),
            Some(env),
        )
    }

    fn account(&self, root: &Root) -> Result<(User, Environment)> {
        let mut environment = Environment::new(&self.process.env);
        if environment_is_short(&self.process.env) {
            self.channel
                .warn("entries of process.env without a name and = are left out");
        }
        let (user, home) = if self.user.is_empty() {
            (self.process.user.clone(), None)
        } else {
            let mut account = user::resolve(root, self.user, &self.process.user)?;
            // As docker has it: who gives the first group up keeps what is forbidden to it.
            let User {
                gid,
                additional_gids,
                ..
            } = &mut account.user;
            if !additional_gids.contains(gid) {
                additional_gids.insert(0, *gid);
            }
            (account.user, account.home)
        };
        environment.set_home(root, home, user.uid)?;
        Ok((user, environment))
    }

    fn take_streams(&mut self, uid: u32) -> Result<()> {
        match std::mem::replace(&mut self.streams, Streams::Inherit) {
            Streams::Terminal(slave) => return terminal::take(slave, uid),
            Streams::Given(streams) => stdio::install(streams.each_ref().map(AsFd::as_fd))?,
            Streams::Inherit => {}
        }
        stdio::give_to(uid);
        Ok(())
    }

    /// Gives false if only the user may enter it.
    fn enter_workdir(&self, root: &Root) -> Result<bool> {
        if self.create_cwd {
            workdir::create(root, &self.process.cwd)?;
        }
        workdir::enter(root, &self.process.cwd)
    }

    fn die_with_parent(&self) -> Result<()> {
        if !self.die_with_parent {
            return Ok(());
        }
        // A change of the user clears it, so it comes after that. Whoever started us and is gone already will not open the gate.
        set_parent_process_death_signal(Some(Signal::KILL))
            .context(|| "cannot tie the process to the runtime")
    }

    /// Says that everything is ready, and waits. Gives our process id in the runtime's pid namespace.
    fn wait_for_start(&mut self) -> Result<i32> {
        self.channel
            .send(Tag::Start)
            .context(|| "cannot talk to the runtime")?;
        let packet = self
            .channel
            .receive()
            .context(|| "cannot talk to the runtime")?;
        let pid = packet
            .filter(|packet| packet.tag == Tag::Start)
            .and_then(|packet| packet.text.parse().ok());
        let pid = pid.ok_or_else(|| {
            Error::setup("cannot start the process", "the runtime has given it up")
        })?;
        // It stays open up to the program: that it is closed tells `start` that the program runs.
        if let Some(gate) = &self.gate {
            // The first process of a pid namespace is deaf to what it does not handle.
            signals::end_on(&[Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM]);
            let mut byte = [0];
            while let Err(errno) = rustix::io::read(gate, &mut byte) {
                if errno != Errno::INTR {
                    return Err(errno).context(|| "cannot wait for the start of the container");
                }
            }
        }
        Ok(pid)
    }

    /// Close-on-exec alone would let a program be named by one of our descriptors.
    fn close_descriptors(&self) -> Result<()> {
        let receiver = self
            .seccomp
            .as_ref()
            .and_then(|seccomp| seccomp.receiver.as_ref());
        let keep: Vec<_> = receiver
            .map(AsFd::as_fd)
            .into_iter()
            .chain(self.gate.as_ref().map(AsFd::as_fd))
            .chain([self.channel.as_fd()])
            .collect();
        exec::close_uninherited(self.preserve_fds, &keep).context(|| "cannot close descriptors")
    }

    /// Everything that cannot be taken back. What comes after the filter must get past it, so with `no_new_privs` it comes last;
    /// without, loading it needs a right that goes with the capabilities.
    fn give_up_rights(&mut self, sets: &Sets, pid: i32) -> Result<()> {
        if self.process.no_new_privileges {
            set_no_new_privs(true).context(|| "cannot set no_new_privs")?;
            sets.apply().context(|| "cannot set the capabilities")?;
            return self.load_filter(pid);
        }
        // Where even this is not allowed, the filter cannot be loaded either, which is the error to tell.
        let _ = capability::raise_effective();
        self.load_filter(pid)?;
        sets.apply().context(|| "cannot set the capabilities")
    }

    fn load_filter(&mut self, pid: i32) -> Result<()> {
        let Some(Seccomp { filter, receiver }) = &mut self.seccomp else {
            return Ok(());
        };
        let message = receiver.as_mut().map(|receiver| receiver.message(pid));
        let listener = filter.load().context(|| "cannot load the seccomp filter")?;
        match (receiver, message, listener) {
            (Some(receiver), Some(message), Some(listener)) => receiver.send(&message, listener),
            _ if filter.notifies() => Err(Error::new(
                Kind::Invalid,
                "config.json: linux.seccomp.listenerPath: is needed for SCMP_ACT_NOTIFY",
            )),
            _ => Ok(()),
        }
    }
}

/// Changes user and groups. What capabilities the caller has stay permitted until [`Sets::apply`].
fn become_user(user: &User, sets: &Sets) -> Result<()> {
    sets.drop_bounding()?;
    set_keep_capabilities(true).context(|| "cannot keep capabilities")?;
    let gid = Gid::from_raw(user.gid);
    let further = user.additional_gids.iter();
    let groups: Vec<_> = further.map(|extra| Gid::from_raw(*extra)).collect();
    match set_thread_groups(&groups) {
        // In a user namespace of an ordinary user groups can neither be set nor be of use.
        Err(Errno::PERM) if user.additional_gids.is_empty() => {}
        other => other.context(|| "cannot set the groups")?,
    }
    set_thread_res_gid(gid, gid, gid).context(|| format!("cannot become group {}", user.gid))?;
    let uid = Uid::from_raw(user.uid);
    set_thread_res_uid(uid, uid, uid).context(|| format!("cannot become user {}", user.uid))?;
    set_keep_capabilities(false).context(|| "cannot keep capabilities")?;
    // What the program may do, finding it and its working directory may do too.
    sets.raise().context(|| "cannot raise capabilities")?;
    // The change may have made us visible to others of the user again.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context(|| "cannot become undumpable")
}

fn environment_is_short(entries: &[String]) -> bool {
    entries
        .iter()
        .any(|entry| matches!(entry.find('='), None | Some(0)))
}

fn c_strings(strings: &[String]) -> Result<Vec<CString>> {
    let convert = |text: &String| CString::new(text.as_str());
    strings
        .iter()
        .map(convert)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| {
            Error::new(
                Kind::Invalid,
                "an argument or a variable contains a NUL byte",
            )
        })
}
