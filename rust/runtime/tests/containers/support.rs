//! A bundle with a small root file system, and ways to run it and see what came out.

use std::{
    fs::{self, File},
    io::{Read, Seek},
    os::{
        fd::OwnedFd,
        unix::fs::{PermissionsExt, symlink},
    },
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::exit,
    sync::atomic::{AtomicU32, Ordering},
};

use pyctr_runtime::{
    Child, Container, CreateOptions, Created, Error, ExecOptions, create, spec::Process, spec::Spec,
};
use rustix::{
    fs::{MemfdFlags, memfd_create},
    mount::{MountPropagationFlags, mount_change},
    process::{WaitOptions, waitpid},
    thread::UnshareFlags,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub type Case = (&'static str, fn());

/// The default capabilities of docker.
pub const CAPABILITIES: [&str; 14] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
];

/// Runs the cases one after the other in this one thread, those whose names hold the first argument; fails if one failed, or if
/// anything is left on the host.
pub fn run_all(cases: impl Iterator<Item = Case>) {
    let filter = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default();
    if !rustix::process::geteuid().is_root() {
        println!("skipped: containers are run as root");
        return;
    }
    // Nobody else's mounts come and go in a mount namespace of our own.
    pyctr_sys::namespace::unshare(UnshareFlags::NEWNS).unwrap();
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .unwrap();
    let before = leftovers();
    let mut failed = 0;
    for (name, case) in cases.filter(|(name, _)| name.contains(&filter)) {
        let ok = catch_unwind(AssertUnwindSafe(case)).is_ok();
        println!("{name} ... {}", if ok { "ok" } else { "FAILED" });
        failed += usize::from(!ok);
    }
    let left: Vec<_> = leftovers()
        .into_iter()
        .filter(|thing| !before.contains(thing))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "something was left behind");
    remove_parents();
    println!("{failed} failed");
    exit(i32::from(failed != 0));
}

/// What a container could leave on the host: mounts, cgroups of these tests, children, descriptors, our namespaces.
fn leftovers() -> Vec<String> {
    let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let names = |dir: &Path| -> Vec<String> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.path().display().to_string())
            .collect()
    };
    let mut found = lines(fs::read_to_string("/proc/self/mountinfo").unwrap());
    found.extend(
        names(Path::new("/sys/fs/cgroup"))
            .iter()
            .flat_map(|top| names(&Path::new(top).join(PARENT))),
    );
    let children =
        fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id())).unwrap();
    found.extend(
        children
            .split(' ')
            .filter(|pid| !pid.is_empty())
            .map(|pid| format!("child {pid}")),
    );
    found.push(format!(
        "{} descriptors",
        fs::read_dir("/proc/self/fd").unwrap().count()
    ));
    for kind in [
        "net",
        "pid_for_children",
        "ipc",
        "uts",
        "mnt",
        "cgroup",
        "user",
        "time_for_children",
    ] {
        found.push(
            fs::read_link(format!("/proc/self/ns/{kind}"))
                .unwrap()
                .display()
                .to_string(),
        );
    }
    found
}

/// The parent of the cgroups of these tests.
const PARENT: &str = "pyctr-test-runtime";

/// Removes the parent cgroups at the end.
fn remove_parents() {
    for entry in fs::read_dir("/sys/fs/cgroup").unwrap().flatten() {
        let _ = fs::remove_dir(entry.path().join(PARENT));
    }
}

/// A bundle whose document can be changed before it is run.
pub struct Bundle {
    _directory: TempDir,
    bundle: PathBuf,
    state: PathBuf,
    pub id: String,
    pub document: Value,
}

impl Bundle {
    /// Runs `script` in a shell.
    pub fn shell(script: &str) -> Self {
        Self::new(&["sh", "-c", script])
    }

    pub fn new(args: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!(
            "t{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        populate(&directory.path().join("bundle/rootfs"));
        let document = document(args, &format!("/{PARENT}/{id}"));
        let (bundle, state) = (
            directory.path().join("bundle"),
            directory.path().join("state"),
        );
        Self {
            _directory: directory,
            bundle,
            state,
            id,
            document,
        }
    }

    pub fn path(&self) -> PathBuf {
        self.bundle.clone()
    }

    pub fn rootfs(&self) -> PathBuf {
        self.path().join("rootfs")
    }

    pub fn state_root(&self) -> PathBuf {
        self.state.clone()
    }

    /// Makes everything the property of a user.
    pub fn give_to(&self, user: u32) {
        let owner = format!("{user}:{user}");
        let status = std::process::Command::new("chown")
            .args(["-hR", &owner])
            .arg(self.path().parent().unwrap())
            .status();
        assert!(status.unwrap().success());
    }

    pub fn set(&mut self, pointer: &str, value: Value) -> &mut Self {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        self.document.pointer_mut(parent).unwrap()[key] = value;
        self
    }

    pub fn namespace(&mut self, kind: &str, path: Option<&str>) -> &mut Self {
        let list = self.document["linux"]["namespaces"].as_array_mut().unwrap();
        list.retain(|entry| entry["type"] != kind);
        list.push(path.map_or(
            json!({"type": kind}),
            |path| json!({"type": kind, "path": path}),
        ));
        self
    }

    pub fn spec(&self) -> Spec {
        let text = self.document.to_string();
        fs::write(self.path().join("config.json"), &text).unwrap();
        Spec::parse(text.as_bytes()).unwrap()
    }

    pub fn create_with<'a>(
        &'a self,
        change: impl FnOnce(&mut CreateOptions<'a>),
    ) -> (Result<Created, Error>, File) {
        let output = scratch();
        let mut options = CreateOptions::new(&self.id, &self.bundle, &self.state, self.spec());
        options.streams = Some(streams(&output));
        change(&mut options);
        (create(options), output)
    }

    /// Runs it to its end, deletes it and gives exit code and output.
    pub fn run(&self) -> (i32, String) {
        self.run_with(|_| {})
    }

    pub fn run_with<'a>(&'a self, change: impl FnOnce(&mut CreateOptions<'a>)) -> (i32, String) {
        let (created, output) = self.create_with(change);
        let (container, child) = created.unwrap().start().unwrap();
        let code = wait(&child);
        container.delete(false).unwrap();
        (code, text(output))
    }

    /// The error of a container that cannot be made or started.
    pub fn refused(&self) -> Error {
        self.refused_with(|_| {})
    }

    pub fn refused_with<'a>(&'a self, change: impl FnOnce(&mut CreateOptions<'a>)) -> Error {
        let (created, _) = self.create_with(change);
        let error = match created.and_then(Created::start) {
            Err(error) => error,
            Ok((container, _)) => {
                container.delete(true).unwrap();
                panic!("it started");
            }
        };
        assert!(
            !self.state_root().join(&self.id).exists(),
            "the state is left behind"
        );
        error
    }

    /// Starts it and lets it run.
    pub fn start(&self) -> Running<'_> {
        self.start_with(|_| {})
    }

    pub fn start_with<'a>(&'a self, change: impl FnOnce(&mut CreateOptions<'a>)) -> Running<'a> {
        let (created, output) = self.create_with(change);
        let (container, child) = created.unwrap().start().unwrap();
        Running {
            _bundle: self,
            container,
            child,
            output,
            spec: self.spec(),
        }
    }
}

/// A container that runs; killed when dropped.
pub struct Running<'a> {
    /// Its root file system must stay.
    _bundle: &'a Bundle,
    pub container: Container,
    pub child: Child,
    pub output: File,
    pub spec: Spec,
}

impl Running<'_> {
    pub fn exec(&self, args: &[&str]) -> (i32, String) {
        self.exec_with(process(args), |_| {}).unwrap()
    }

    pub fn exec_with(
        &self,
        process: Value,
        change: impl FnOnce(&mut ExecOptions<'_>),
    ) -> Result<(i32, String), Error> {
        let process = Process::parse(process.to_string().as_bytes()).unwrap();
        let output = scratch();
        let mut options = ExecOptions::new(&process);
        options.streams = Some(streams(&output));
        change(&mut options);
        let child = self.container.exec(&self.spec, options)?;
        Ok((wait(&child), text(output)))
    }

    pub fn output(&self) -> String {
        text(self.output.try_clone().unwrap())
    }

    /// Waits until the output holds `part`.
    pub fn until(&self, part: &str) {
        for _ in 0..1000 {
            if self.output().contains(part) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("{part:?} never came: {:?}", self.output());
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.container.delete(true).unwrap();
        let _ = waitpid(Some(self.child.pid), WaitOptions::empty());
    }
}

pub fn process(args: &[&str]) -> Value {
    json!({"args": args, "env": ["PATH=/bin", "HOME=/"], "cwd": "/", "capabilities": sets()})
}

fn sets() -> Value {
    json!({"bounding": CAPABILITIES, "permitted": CAPABILITIES, "effective": CAPABILITIES})
}

fn document(args: &[&str], cgroup: &str) -> Value {
    json!({
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": process(args),
        "hostname": "box",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
            {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "ro"]},
        ],
        "linux": {
            "cgroupsPath": cgroup,
            "resources": {"devices": [{"allow": false, "access": "rwm"}]},
            "namespaces": [
                {"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"},
            ],
            "maskedPaths": ["/proc/kcore", "/sys/firmware"],
            "readonlyPaths": ["/proc/sys"],
        },
    })
}

/// Busybox with a link for each of its programs, and two users.
fn populate(root: &Path) {
    for dir in ["bin", "dev", "proc", "sys", "etc", "tmp", "sbin"] {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::copy("/bin/busybox", root.join("bin/busybox")).unwrap();
    for name in [
        "sh", "true", "cat", "id", "sleep", "echo", "env", "ls", "readlink", "grep", "ip",
        "hostname", "tty", "stty", "umask", "mount", "touch", "kill", "ps", "test", "stat", "dd",
        "wc", "chmod", "tr", "head", "cut", "uname", "date",
    ] {
        symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    fs::write(
        root.join("etc/passwd"),
        "root:x:0:0::/root:/bin/sh\njoe:x:1000:1000::/home/joe:/bin/sh\n",
    )
    .unwrap();
    fs::write(
        root.join("etc/group"),
        "root:x:0:\nstaff:x:50:joe\njoe:x:1000:\n",
    )
    .unwrap();
}

fn scratch() -> File {
    File::from(memfd_create("output", MemfdFlags::CLOEXEC).unwrap())
}

fn streams(output: &File) -> [OwnedFd; 3] {
    let copy = || OwnedFd::from(output.try_clone().unwrap());
    [
        OwnedFd::from(File::open("/dev/null").unwrap()),
        copy(),
        copy(),
    ]
}

fn text(mut output: File) -> String {
    // Another end of the same file may be writing: read without moving its position.
    let mut text = String::new();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&output));
    match File::open(path) {
        Ok(mut own) => own.read_to_string(&mut text).map(drop).unwrap(),
        Err(_) => output
            .rewind()
            .and_then(|()| output.read_to_string(&mut text))
            .map(drop)
            .unwrap(),
    }
    text
}

/// Waits for a child: its exit code, or 128 plus the signal.
pub fn wait(child: &Child) -> i32 {
    let (_, status) = waitpid(Some(child.pid), WaitOptions::empty())
        .unwrap()
        .unwrap();
    status
        .exit_status()
        .or(status.terminating_signal().map(|signal| 128 + signal))
        .unwrap()
}
