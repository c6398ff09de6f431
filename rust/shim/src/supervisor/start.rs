//! From a bundle to a supervised container.

use std::{
    collections::VecDeque,
    ffi::OsString,
    os::fd::{OwnedFd, RawFd},
    path::{Path, PathBuf},
    process::ExitCode,
};

use rustix::event::{PollFd, PollFlags, poll};
use serde_json::json;

use super::{
    Supervisor,
    finish::{insist, linger},
    wait::Rest,
};
use crate::{
    client::{Client, Role},
    config::Config,
    container::{Container, Launched},
    daemon::{self, OomScore},
    failure::Failure,
    frame::{FrameError, Kind},
    listen::Listener,
    lock::Lock,
    log::Log,
    record::{self, ExitRecord},
    request::{Request, Streams},
    task::{CONTAINER, Task},
};
use pyctr_runtime::clock::WallTime;

/// The command line after `shim`.
#[derive(Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The bundle, absolute.
    pub bundle: PathBuf,
    /// A connected socket to be told on that the bundle is complete, to report on and to attach.
    pub attach_fd: Option<RawFd>,
}

impl Arguments {
    /// Parse `--bundle DIR [--attach-fd N]`.
    pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut args = args.into_iter();
        let (mut bundle, mut attach_fd) = (None, None);
        while let Some(flag) = args.next() {
            let mut value = || {
                args.next()
                    .ok_or_else(|| format!("{} needs a value", flag.to_string_lossy()))
            };
            match flag.to_str() {
                Some("--bundle") => bundle = Some(PathBuf::from(value()?)),
                Some("--attach-fd") => attach_fd = Some(number(&value()?)?),
                _ => return Err(format!("unknown argument: {}", flag.to_string_lossy())),
            }
        }
        let bundle = bundle.ok_or("--bundle is missing")?;
        let bundle = std::path::absolute(&bundle)
            .map_err(|error| format!("bundle {}: {error}", bundle.display()))?;
        Ok(Self { bundle, attach_fd })
    }
}

fn number(value: &OsString) -> Result<RawFd, String> {
    let number = value
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|&fd: &RawFd| fd > 2);
    number.ok_or_else(|| format!("not a descriptor above 2: {}", value.to_string_lossy()))
}

/// Run one container from its start to its end. The exit status only says whether the container's program ran.
pub fn run(arguments: &Arguments) -> ExitCode {
    let birth = match arguments
        .attach_fd
        .map(pyctr_sys::spawn::inherited)
        .transpose()
    {
        Ok(socket) => socket,
        Err(_) => return ExitCode::FAILURE,
    };
    let mut birth = birth.map(|socket| Client::new(0, socket, Role::Asking));
    let failure = match begin(&arguments.bundle, &mut birth) {
        Ok(Some(supervisor)) => {
            supervisor.supervise();
            return ExitCode::SUCCESS;
        }
        Ok(None) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    if let Some(mut client) = birth {
        client.fail(&failure);
        linger(vec![client]);
    }
    ExitCode::FAILURE
}

/// Lock the bundle and start its container; a failure leaves an exit record that says why. Nothing is touched, and nobody
/// supervises, if whoever spawned us lets go before the bundle is complete.
///
/// Not inlined, so that its deep stack is gone when the supervisor rests.
#[inline(never)]
fn begin(bundle: &Path, birth: &mut Option<Client>) -> Result<Option<Supervisor>, Failure> {
    let children = daemon::become_daemon()
        .map_err(|error| Failure::engine(format!("becoming a daemon: {error}")))?;
    if let Some(client) = birth
        && !is_told_to_start(client)?
    {
        return Ok(None);
    }
    let lock = Lock::acquire(bundle)?;
    let config = Config::read(bundle)?;
    daemon::set_name(&config.id);
    // Before the program runs: what it needs cannot fail afterwards.
    match launch(bundle, &config) {
        Ok((launched, listener)) => Ok(Some(assemble(
            bundle, config, lock, children, listener, launched, birth,
        ))),
        Err(failure) => {
            let record = failed(&failure);
            if record::write(&config.exit_file, &record).is_err() {
                insist(&config, bundle, &record);
            }
            Err(failure)
        }
    }
}

/// Wait for the word that the bundle is complete: it is written while this process comes up. False if it never will be.
fn is_told_to_start(client: &mut Client) -> Result<bool, Failure> {
    let mut scratch = Vec::new();
    while client.is_reading() {
        let invalid = |error: FrameError| Failure::invalid(error.to_string());
        match client.next_frame().map_err(invalid)? {
            Some(frame) => {
                return match (frame.kind, Request::parse(&frame.payload)?) {
                    (Kind::Request, Request::Start) => Ok(true),
                    _ => Err(Failure::invalid("not told to start")),
                };
            }
            None => {
                let mut fds = [PollFd::from_borrowed_fd(client.fd(), PollFlags::IN)];
                // Interrupted or not, what has come is looked at.
                let _ = poll(&mut fds, None);
                client.receive(&mut scratch);
            }
        }
    }
    Ok(false)
}

fn launch(bundle: &Path, config: &Config) -> Result<(Launched, Listener), Failure> {
    let listener = Listener::bind(bundle)
        .map_err(|error| Failure::engine(format!("listening in {}: {error}", bundle.display())))?;
    Ok((Container::launch(bundle, config)?, listener))
}

fn assemble(
    bundle: &Path,
    config: Config,
    lock: Lock,
    children: OwnedFd,
    listener: Listener,
    launched: Launched,
    birth: &mut Option<Client>,
) -> Supervisor {
    let Launched {
        container,
        pid,
        streams,
        started_at,
        warnings,
    } = launched;
    let mut clients = Vec::new();
    if let Some(mut client) = birth.take() {
        let wanted = Streams {
            stdin: config.stdin,
            stdout: true,
            stderr: true,
        };
        client.role = Role::Attached(CONTAINER, wanted);
        let pid = pid.as_raw_nonzero();
        client.send_json(
            Kind::Ok,
            &json!({"pid": pid, "started_at": started_at.to_string(), "warnings": warnings}),
        );
        clients.push(client);
    }
    Supervisor {
        bundle: bundle.to_owned(),
        log: config.log.as_ref().map(Log::new),
        config,
        container,
        tasks: vec![Task {
            id: CONTAINER,
            exec: None,
            pid,
            streams,
            started_at,
            ended: None,
        }],
        clients,
        listener,
        children,
        scratch: Vec::new(),
        last_id: 0,
        exec_records: VecDeque::new(),
        rest: Rest::default(),
        oom_score: OomScore::default(),
        lock,
    }
}

fn failed(failure: &Failure) -> ExitRecord {
    ExitRecord {
        exit_code: failure.code.into(),
        oom_killed: false,
        pid: 0,
        started_at: String::new(),
        finished_at: WallTime::now().to_string(),
        error: failure.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(args.iter().map(OsString::from))
    }

    #[test]
    fn arguments() {
        let arguments = parse(&["--bundle", "/b", "--attach-fd", "3"]).expect("valid");
        assert_eq!(
            arguments,
            Arguments {
                bundle: "/b".into(),
                attach_fd: Some(3)
            }
        );
        assert!(
            parse(&["--bundle", "relative"])
                .expect("valid")
                .bundle
                .is_absolute()
        );
        assert_eq!(parse(&[]).expect_err("missing"), "--bundle is missing");
        assert_eq!(
            parse(&["--bundle"]).expect_err("missing"),
            "--bundle needs a value"
        );
        assert_eq!(
            parse(&["--bundle", "/b", "--attach-fd", "1"]).expect_err("bad"),
            "not a descriptor above 2: 1"
        );
        assert_eq!(
            parse(&["--fast"]).expect_err("unknown"),
            "unknown argument: --fast"
        );
    }
}
