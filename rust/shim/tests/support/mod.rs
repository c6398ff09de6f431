//! Bundles to run, and a blocking client to talk to their supervisors.

use std::{
    ffi::CString,
    fs,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use pyctr_shim::frame::{Kind, header};
use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, open},
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// No answer takes this long unless something hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The number of the birth socket in a supervisor.
const BIRTH: i32 = 3;

/// Whether the test can run; says why not.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: needs root");
    }
    root
}

/// A bundle on the host's own root file system, read-only.
pub struct Bundle {
    pub id: String,
    dir: PathBuf,
    _parent: TempDir,
    pub config: Value,
    pub shim: Value,
}

impl Bundle {
    /// A bundle that runs `script` in a shell.
    pub fn new(script: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let id = format!(
            "shimtest{:08x}{:048x}",
            process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let parent = tempfile::tempdir().expect("temporary directory");
        let dir = parent.path().join(&id);
        fs::create_dir(&dir).expect("bundle");
        let config = json!({
            "ociVersion": "1.2.0",
            "root": {"path": "/", "readonly": true},
            "process": {"cwd": "/", "args": ["/bin/sh", "-c", script], "env": ["PATH=/usr/bin:/bin"], "user": {"uid": 0, "gid": 0}},
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                // Its own: the runtime fills it with device nodes, which must not land on the host.
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]},
            ],
            "linux": {
                "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}],
                "cgroupsPath": format!("/pyctr/{id}"),
            },
        });
        let path = |name: &str| dir.join(name);
        let shim =
            json!({"id": id, "exit_file": path("exit.json"), "log": {"path": path("log.json")}});
        Self {
            id,
            dir,
            _parent: parent,
            config,
            shim,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub fn json(&self, name: &str) -> Value {
        let path = self.path(name);
        let text =
            fs::read(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
        serde_json::from_slice(&text).expect("JSON")
    }

    /// Start a supervisor; the conversation it is born with, which begins with OK or ERROR.
    pub fn start(&self) -> Conversation {
        fs::write(self.path("config.json"), self.config.to_string()).expect("config.json");
        fs::write(self.path("shim.json"), self.shim.to_string()).expect("shim.json");
        let (ours, theirs) = UnixStream::pair().expect("socketpair");
        let binary = env!("CARGO_BIN_EXE_pyctr-shim");
        let exe = open(binary, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).expect("binary");
        let bundle = self.dir.to_str().expect("UTF-8").to_owned();
        let args = [binary, "shim", "--bundle", &bundle, "--attach-fd", "3"]
            .map(|arg| CString::new(arg).expect("no NUL"));
        pyctr_sys::spawn::detached(exe.as_fd(), &args, &[], &[(theirs.as_raw_fd(), BIRTH)])
            .expect("spawned");
        let mut birth = Conversation::new(ours);
        birth.send(Kind::Request, br#"{"op": "start"}"#);
        birth
    }

    /// Start a supervisor whose program runs.
    pub fn started(&self) -> (Conversation, Value) {
        let mut birth = self.start();
        let (kind, reply) = birth.document();
        assert_eq!(kind, Kind::Ok, "{reply}");
        (birth, reply)
    }

    /// A new conversation on shim.sock.
    pub fn connect(&self) -> Conversation {
        let dir = open(&self.dir, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).expect("bundle");
        let path = format!("/proc/self/fd/{}/shim.sock", dir.as_raw_fd());
        Conversation::new(UnixStream::connect(path).expect("connected"))
    }

    /// Ask for one thing; the first answer.
    pub fn ask(&self, request: Value) -> (Conversation, Kind, Value) {
        let mut conversation = self.connect();
        conversation.send(Kind::Request, request.to_string().as_bytes());
        let (kind, reply) = conversation.document();
        (conversation, kind, reply)
    }

    /// Wait until the supervisor has released its lock, then check that nothing is left of the container.
    pub fn assert_gone(&self) {
        let lock = fs::File::open(self.path("shim.lock")).expect("lock file");
        flock(&lock, FlockOperation::LockShared).expect("the supervisor ended");
        assert!(!self.path("shim.sock").exists());
        for hierarchy in fs::read_dir("/sys/fs/cgroup").expect("cgroups") {
            let cgroup = hierarchy
                .expect("hierarchy")
                .path()
                .join("pyctr")
                .join(&self.id);
            assert!(!cgroup.exists(), "{} is left", cgroup.display());
        }
    }

    /// The supervisor's pid, as the lock file says.
    pub fn supervisor(&self) -> Option<Pid> {
        Pid::from_raw(
            fs::read_to_string(self.path("shim.lock"))
                .ok()?
                .trim()
                .parse()
                .ok()?,
        )
    }

    /// Kill the supervisor, and wait until it is dead.
    pub fn kill_supervisor(&self) {
        let Some(pid) = self.supervisor() else { return };
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
            return;
        };
        let lock = fs::File::open(self.path("shim.lock")).expect("lock file");
        if flock(&lock, FlockOperation::NonBlockingLockShared).is_err() {
            kill_process(pid, Signal::KILL).expect("killed");
            wait_for_end(&process);
        }
    }
}

impl Drop for Bundle {
    /// A failed test leaves no supervisor; its death takes the container's first process along.
    fn drop(&mut self) {
        self.kill_supervisor();
        for hierarchy in fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten()
        {
            let _ = fs::remove_dir(hierarchy.path().join("pyctr").join(&self.id));
        }
    }
}

/// Wait for the end of the process behind a pidfd.
pub fn wait_for_end(process: &OwnedFd) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let patience = Timespec::try_from(PATIENCE).expect("in range");
    let ready = poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&patience)).expect("poll");
    assert_eq!(ready, 1, "the process does not end");
}

/// One end of a conversation in frames.
pub struct Conversation(UnixStream);

impl Conversation {
    fn new(socket: UnixStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("timeout");
        Self(socket)
    }

    /// The same conversation, to send and to receive at once.
    #[allow(dead_code, reason = "not every test file needs it")]
    pub fn another_end(&self) -> Self {
        Self(self.0.try_clone().expect("duplicated"))
    }

    pub fn send(&mut self, kind: Kind, payload: &[u8]) {
        self.send_raw(&[&header(kind, payload.len())[..], payload].concat());
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("sent");
    }

    /// The next frame, `None` at the end.
    pub fn frame(&mut self) -> Option<(Kind, Vec<u8>)> {
        let mut head = [0; 8];
        match self.0.read_exact(&mut head) {
            // Reset: it left without having read what we sent last.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
                ) =>
            {
                return None;
            }
            result => result.expect("a frame in time"),
        }
        let [kind, 0, 0, 0, length @ ..] = head else {
            panic!("not a frame: {head:?}")
        };
        let mut payload = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut payload).expect("payload");
        Some((Kind::from_wire(kind).expect("kind"), payload))
    }

    /// The next frame, which carries JSON.
    pub fn document(&mut self) -> (Kind, Value) {
        let (kind, payload) = self.frame().expect("a frame");
        (
            kind,
            serde_json::from_slice(&payload).unwrap_or_else(|_| panic!("{kind:?}: {payload:?}")),
        )
    }

    /// Everything up to the last frame.
    pub fn finish(mut self) -> Outcome {
        let mut outcome = Outcome::default();
        while let Some((kind, payload)) = self.frame() {
            assert!(outcome.exit.is_null(), "a {kind:?} frame after EXIT");
            match kind {
                Kind::Stdout => outcome.stdout.extend(payload),
                Kind::Stderr => outcome.stderr.extend(payload),
                Kind::Exit => outcome.exit = serde_json::from_slice(&payload).expect("JSON"),
                _ => panic!("unexpected {kind:?}: {payload:?}"),
            }
        }
        outcome
    }
}

/// What a program did.
#[derive(Debug, Default)]
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub exit: Value,
}

impl Outcome {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("UTF-8")
    }

    pub fn exit_code(&self) -> i64 {
        self.exit["exit_code"]
            .as_i64()
            .unwrap_or_else(|| panic!("no exit code: {self:?}"))
    }
}
