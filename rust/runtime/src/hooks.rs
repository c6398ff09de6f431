//! Hooks: programs run at fixed points of a container's life, with its state on their standard input.

use std::{
    fs::File,
    io::{Read, Seek, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{MemfdFlags, memfd_create},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
};

use crate::{
    error::{Context, Error, Result},
    spec::Hook,
};

/// How much of what a failed hook printed is shown.
const MAX_OUTPUT: u64 = 4096;

/// Runs hooks in turn with `state` (a JSON document) on their standard input; `moment` is their name in the document. One without
/// an environment of its own gets `environment`, or else the runtime's.
///
/// # Errors
/// The first hook that cannot be run, fails or takes too long; later ones are not run.
pub(crate) fn run(
    moment: &str,
    hooks: &[Hook],
    state: &str,
    environment: Option<&[String]>,
) -> Result<()> {
    for (i, hook) in hooks.iter().enumerate() {
        run_one(hook, state, environment).map_err(|error| {
            Error::setup(
                format!("error running {moment} hook #{i}: {}", hook.path.display()),
                error,
            )
        })?;
    }
    Ok(())
}

/// As [`run`], for hooks whose failure must not stop anything: goes on and gives back what went wrong.
pub(crate) fn run_all(moment: &str, hooks: &[Hook], state: &str) -> Vec<Error> {
    hooks
        .iter()
        .filter_map(|hook| run(moment, std::slice::from_ref(hook), state, None).err())
        .collect()
}

fn run_one(hook: &Hook, state: &str, environment: Option<&[String]>) -> Result<()> {
    let mut output = scratch()?;
    let mut input = scratch()?;
    input
        .write_all(state.as_bytes())
        .and_then(|()| input.rewind())
        .context(|| "cannot write the state")?;
    let copy = || {
        output
            .try_clone()
            .map(Stdio::from)
            .context(|| "cannot open a file in memory")
    };
    let mut command = Command::new(&hook.path);
    command
        .stdin(Stdio::from(input))
        .stdout(copy()?)
        .stderr(copy()?);
    let own = (!hook.env.is_empty()).then_some(hook.env.as_slice());
    if let Some(entries) = own.or(environment) {
        command
            .env_clear()
            .envs(entries.iter().filter_map(|entry| entry.split_once('=')));
    }
    if let Some((name, args)) = hook.args.split_first() {
        command.arg0(name).args(args);
    }
    pyctr_sys::signals::unblock_for(&mut command);
    let mut child = command.spawn().context(|| "cannot be run")?;
    let status = wait(&mut child, hook.timeout)?;
    if status.success() {
        return Ok(());
    }
    let mut said = String::new();
    let read = output
        .rewind()
        .and_then(|()| output.take(MAX_OUTPUT).read_to_string(&mut said));
    let said = if read.is_ok() { said.trim() } else { "" };
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, Some(31)) => "was killed by signal 31 (bad system call)".to_owned(),
        (None, signal) => format!("was killed by signal {}", signal.unwrap_or_default()),
    };
    Err(Error::setup(
        how,
        if said.is_empty() {
            "it printed nothing"
        } else {
            said
        },
    ))
}

/// A file in memory: a hook can neither block on it nor leave it behind.
fn scratch() -> Result<File> {
    memfd_create("hook", MemfdFlags::CLOEXEC)
        .map(File::from)
        .context(|| "cannot make a file in memory")
}

/// Waits for a hook, and kills it after `timeout` seconds.
fn wait(child: &mut Child, timeout: Option<u32>) -> Result<ExitStatus> {
    let Some(seconds) = timeout else {
        return child.wait().context(|| "cannot wait for it");
    };
    let pid = i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or(Errno::SRCH)
        .context(|| "cannot wait for it")?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).context(|| "cannot wait for it")?;
    let end = Instant::now() + Duration::from_secs(seconds.into());
    loop {
        let left =
            Timespec::try_from(end.saturating_duration_since(Instant::now())).unwrap_or(Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            });
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&left)) {
            Ok(0) => {
                // It is ours and not waited for: the number is still its own.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Error::setup(
                    format!("took longer than {seconds} s"),
                    "killed",
                ));
            }
            Ok(_) => return child.wait().context(|| "cannot wait for it"),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno).context(|| "cannot wait for it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, timeout: Option<u32>) -> Hook {
        Hook {
            path: "/bin/sh".into(),
            args: ["hook", "-c", script].map(str::to_owned).to_vec(),
            env: vec![
                "PATH=/usr/bin:/bin".into(),
                "WHO=me".into(),
                "broken".into(),
            ],
            timeout,
        }
    }

    fn message(script: &str, timeout: Option<u32>) -> String {
        run("prestart", &[shell(script, timeout)], "{}", None)
            .expect_err("fails")
            .to_string()
    }

    #[test]
    fn a_hook_gets_the_state_and_its_own_environment() {
        let script = r#"test "$(cat)" = '{"id":"x"}' && test "$WHO" = me && test -z "$HOME""#;
        run("prestart", &[shell(script, None)], r#"{"id":"x"}"#, None).expect("succeeds");
    }

    #[test]
    fn a_hook_without_an_environment_gets_that_of_its_place() {
        let bare = |script| Hook {
            env: Vec::new(),
            ..shell(script, None)
        };
        let container = ["WHO=box".to_owned()];
        run(
            "startContainer",
            &[bare("test $WHO = box")],
            "{}",
            Some(&container),
        )
        .expect("succeeds");
        let own = shell("test $WHO = me", None);
        run("startContainer", &[own], "{}", Some(&container)).expect("succeeds");
        // The manifest's directory is in the environment of every test.
        run(
            "prestart",
            &[bare("test -n \"$CARGO_MANIFEST_DIR\"")],
            "{}",
            None,
        )
        .expect("succeeds");
    }

    #[test]
    fn failures_say_which_hook_and_why() {
        assert_eq!(
            message("echo broken >&2; exit 3", None),
            "error running prestart hook #0: /bin/sh: failed with exit code 3: broken"
        );
        assert_eq!(
            message("sleep 9", Some(1)),
            "error running prestart hook #0: /bin/sh: took longer than 1 s: killed"
        );
        let missing = Hook {
            path: "/nonexistent".into(),
            ..Hook::default()
        };
        let text = run("poststop", &[missing], "{}", None)
            .expect_err("fails")
            .to_string();
        assert_eq!(
            text,
            "error running poststop hook #0: /nonexistent: cannot be run: no such file or directory"
        );
    }

    #[test]
    fn run_all_goes_on() {
        assert_eq!(
            run_all(
                "poststop",
                &[
                    shell("exit 1", None),
                    shell("true", None),
                    shell("exit 2", None)
                ],
                "{}"
            )
            .len(),
            2
        );
    }
}
