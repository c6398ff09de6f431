//! `exec`: a further program in a running container.

use pyctr_runtime::{
    Container, ExecOptions,
    spec::{Capabilities, Process, Spec},
};

use rustix::process::{Signal, pidfd_send_signal};

use super::{
    Context, Failure, Outcome,
    args::{Flag, Parsed},
    create::{Announcement, advise, console_socket, preserved_fds, seclude, tell},
    foreground,
};

/// The options of `exec`.
pub const FLAGS: [Flag; 17] = [
    Flag::value(
        &["process", "p"],
        "FILE",
        "take all of it from this JSON file",
    ),
    Flag::value(&["cwd"], "DIR", "working directory"),
    Flag::value(&["env", "e"], "NAME=VALUE", "add to the environment"),
    Flag::value(&["user", "u"], "UID[:GID]", "run as this user"),
    Flag::value(
        &["additional-gids", "g"],
        "GID",
        "add a supplementary group",
    ),
    Flag::value(&["cap", "c"], "NAME", "add a capability"),
    Flag::value(&["process-label"], "LABEL", "SELinux label"),
    Flag::value(&["apparmor"], "PROFILE", "AppArmor profile"),
    Flag::value(
        &["cgroup"],
        "PATH",
        "a group below the container's cgroup, also CONTROLLER:PATH",
    ),
    Flag::value(
        &["console-socket"],
        "SOCKET",
        "where to send the master of the terminal",
    ),
    Flag::value(&["pid-file"], "FILE", "write the id of the process there"),
    Flag::value(
        &["preserve-fds"],
        "N",
        "pass on N descriptors from 3 on, besides those of $LISTEN_FDS",
    ),
    Flag::value(
        &["pidfd-socket"],
        "SOCKET",
        "where to send a descriptor for the process",
    ),
    Flag::switch(&["tty", "t"], "give it a terminal"),
    Flag::switch(&["detach", "d"], "do not wait for it"),
    Flag::switch(&["no-new-privs"], "set no_new_privs"),
    Flag::switch(&["ignore-paused"], "also if the container is paused"),
];

/// The exit status where the program did not run: one that programs seldom have, and that of runc.
const NOT_RUN: u8 = 255;

/// Runs a program; in the foreground its exit status is ours.
pub fn exec(context: &Context, parsed: &Parsed) -> Outcome {
    add(context, parsed).map_err(|failure| Failure {
        status: NOT_RUN,
        ..failure
    })
}

fn add(context: &Context, parsed: &Parsed) -> Outcome {
    pyctr_runtime::reexec::reexec_from_readonly_mount()?;
    let Some((id, args)) = parsed.operands.split_first() else {
        return Err(Failure::new("the id of a container is missing"));
    };
    let container = Container::open(&context.root, id)?;
    let spec = container.spec()?;
    tell(context, &format!("exec in container {id}"), &spec);
    let mut process = process(parsed, &spec, args)?;
    seclude(parsed)?;
    foreground::size_terminal(&mut process, parsed.get("console-socket").is_some());
    let (detach, terminal) = (parsed.is_set("detach"), process.terminal);
    let mut options = ExecOptions::new(&process);
    options.console_socket = console_socket(parsed, terminal)?;
    options.preserve_fds = preserved_fds(parsed)?;
    options.cgroups = parsed.all("cgroup").map(sub_cgroup).collect();
    options.ignore_paused = parsed.is_set("ignore-paused");
    options.bare_lines = !detach && options.console_socket.is_none();
    foreground::check_process(&process, options.console_socket.is_some(), detach)?;
    foreground::prepare(detach)?;
    let announce = Announcement::prepare(parsed)?;
    let child = container.exec(&spec, options)?;
    advise(context, &child.warnings);
    announce.make(&child).inspect_err(|_| {
        // Who cannot be told which process it is cannot end it either.
        let _ = pidfd_send_signal(&child, Signal::KILL);
    })?;
    if detach {
        Ok(0)
    } else {
        foreground::attend(&child)
    }
}

/// `CONTROLLERS:PATH`, or a path in every hierarchy.
fn sub_cgroup(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((controllers, path)) => (Some(controllers), path),
        None => (None, text),
    }
}

fn process(parsed: &Parsed, spec: &Spec, args: &[String]) -> Result<Process, Failure> {
    let mut process = match parsed.get("process") {
        Some(file) => {
            let text = std::fs::read(file)
                .map_err(|error| Failure::new(format!("cannot read {file}: {error}")))?;
            Process::parse(&text).map_err(|error| Failure::new(format!("{file}: {error}")))?
        }
        None if args.is_empty() => return Err(Failure::new("the command is missing")),
        None => Process {
            args: args.to_vec(),
            terminal: false,
            console_size: None,
            ..spec.process.clone().unwrap_or_default()
        },
    };
    amend(&mut process, parsed)?;
    Ok(process)
}

fn amend(process: &mut Process, parsed: &Parsed) -> Result<(), Failure> {
    process.env.extend(parsed.all("env").map(str::to_owned));
    if let Some(directory) = parsed.get("cwd") {
        directory.clone_into(&mut process.cwd);
    }
    if let Some(user) = parsed.get("user") {
        let (uid, gid) = user.split_once(':').unwrap_or((user, "0"));
        process.user.uid = id(uid, "user")?;
        process.user.gid = id(gid, "user")?;
    }
    for gid in parsed.all("additional-gids") {
        process
            .user
            .additional_gids
            .push(id(gid, "additional-gids")?);
    }
    for name in parsed.all("cap") {
        if !pyctr_runtime::capability_names()
            .iter()
            .any(|known| known == name)
        {
            return Err(Failure::new(format!("unknown capability \"{name}\"")));
        }
        add_capability(process.capabilities.get_or_insert_default(), name);
    }
    if let Some(label) = parsed.get("process-label") {
        process.selinux_label = Some(label.to_owned());
    }
    if let Some(profile) = parsed.get("apparmor") {
        process.apparmor_profile = Some(profile.to_owned());
    }
    process.no_new_privileges |= parsed.is_set("no-new-privs");
    process.terminal |= parsed.is_set("tty");
    Ok(())
}

fn id(text: &str, option: &str) -> Result<u32, Failure> {
    text.parse().map_err(|_| {
        Failure::new(format!(
            "invalid value \"{text}\" for --{option}: not an id"
        ))
    })
}

/// It becomes ambient too where the container's programs inherit it, since it can be then.
fn add_capability(sets: &mut Capabilities, name: &str) {
    if sets.inheritable.iter().any(|known| known == name) {
        sets.ambient.push(name.to_owned());
    }
    for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
        set.push(name.to_owned());
    }
}
