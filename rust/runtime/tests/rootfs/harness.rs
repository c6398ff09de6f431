//! A container without a runtime: processes that prepare, mount, enter, and then look around.

use std::{
    fs,
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::exit,
    time::Instant,
};

use pyctr_runtime::{
    rootfs::{Mounted, Options, Overlay, Rootfs},
    spec::Spec,
};
use pyctr_sys::clone::{Clone, Cloned};
use rustix::{
    fs::CWD,
    mount::{MountPropagationFlags, mount_change},
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    thread::{set_thread_res_gid, set_thread_res_uid},
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub type Case = (&'static str, fn());

const NEWNS: u64 = 0x2_0000;
const NEWUSER: u64 = 0x1000_0000;
const NEWPID: u64 = 0x2000_0000;
const NEWNET: u64 = 0x4000_0000;
const NEWIPC: u64 = 0x0800_0000;

/// Runs the cases one after the other, and fails if one failed or left a mount behind.
pub fn run_all(cases: impl Iterator<Item = Case>) {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: these tests need root");
        return;
    }
    let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mut failed = 0;
    for (name, case) in cases {
        let ok = fork(NEWNS, || {
            mount_change(
                "/",
                MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
            )
            .unwrap();
            case();
        });
        println!("{name} ... {}", if ok { "ok" } else { "FAILED" });
        failed += usize::from(!ok);
    }
    assert_eq!(
        fs::read_to_string("/proc/self/mountinfo").unwrap(),
        before,
        "mounts were left on the host"
    );
    println!("{failed} failed");
    exit(i32::from(failed != 0));
}

/// Runs `body` in a child with new namespaces; whether it ended well.
fn fork(namespaces: u64, body: impl FnOnce()) -> bool {
    std::io::stdout().flush().unwrap();
    match (Clone {
        namespaces,
        ..Clone::default()
    })
    .spawn()
    .unwrap()
    {
        Cloned::Parent(pid, _) => wait(pid),
        Cloned::Child => exit(i32::from(catch_unwind(AssertUnwindSafe(body)).is_err())),
    }
}

/// A child that repeats `body` until this is dropped.
pub struct Background(Pid);

impl Background {
    pub fn repeat(mut body: impl FnMut()) -> Self {
        match Clone::default().spawn().unwrap() {
            Cloned::Parent(pid, _) => Self(pid),
            Cloned::Child => loop {
                body();
            },
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        kill_process(self.0, Signal::KILL).unwrap();
        waitpid(Some(self.0), WaitOptions::empty()).unwrap();
    }
}

fn wait(pid: Pid) -> bool {
    waitpid(Some(pid), WaitOptions::empty())
        .unwrap()
        .unwrap()
        .1
        .exit_status()
        == Some(0)
}

/// A bundle in a temporary directory: `rootfs` is the root, `host` stands for files of the host.
pub struct Bundle {
    dir: TempDir,
    pub config: Value,
    pub options: Options,
}

impl Bundle {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["rootfs", "host"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let options = Options {
            bundle: dir.path().to_owned(),
            ..Options::default()
        };
        let namespaces = json!([{"type": "mount"}, {"type": "pid"}, {"type": "ipc"}]);
        let config = json!({"ociVersion": "1.2.0", "root": {"path": "rootfs"}, "mounts": [], "linux": {"namespaces": namespaces}});
        Self {
            dir,
            config,
            options,
        }
    }

    /// With the mounts and paths that docker asks for.
    pub fn like_docker() -> Self {
        let mut bundle = Self::new();
        bundle.config["mounts"] = docker_mounts();
        bundle.config["linux"]["maskedPaths"] = json!(MASKED);
        bundle.config["linux"]["readonlyPaths"] = json!(READONLY);
        bundle
    }

    /// The same in a user namespace where 0 is 100000 outside.
    pub fn with_users(mut self) -> Self {
        let map = json!([{"containerID": 0, "hostID": 100_000, "size": 65536}]);
        self.config["linux"]["uidMappings"] = map.clone();
        self.config["linux"]["gidMappings"] = map;
        self.config["linux"]["namespaces"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "user"}));
        self
    }

    /// Layers in place of the directory, the topmost first; their directories are made.
    pub fn with_layers(mut self, lower: &[&str]) -> Self {
        let make = |name: &str| {
            fs::create_dir_all(self.path(name)).unwrap();
            self.path(name)
        };
        self.options.overlay = Some(Overlay {
            lower: lower.iter().map(|name| make(name)).collect(),
            upper: Some(make("top/upper")),
            work: Some(make("top/work")),
        });
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn mount(
        &mut self,
        destination: &str,
        kind: &str,
        source: &str,
        options: &[&str],
    ) -> &mut Self {
        let mount =
            json!({"destination": destination, "type": kind, "source": source, "options": options});
        self.config["mounts"].as_array_mut().unwrap().push(mount);
        self
    }

    fn spec(&self) -> Spec {
        let spec = Spec::parse(self.config.to_string().as_bytes()).unwrap();
        spec.validate().unwrap();
        spec
    }

    /// Builds the root, enters it and runs `look` inside.
    pub fn run(&self, look: impl FnOnce()) {
        self.run_stages(|_| (), look);
    }

    /// As [`Self::run`], with a stop at what is mounted.
    pub fn run_stages(&self, stage: impl FnOnce(&Mounted<'_>), look: impl FnOnce()) {
        let spec = self.spec();
        let rootfs = Rootfs::prepare(&spec, &self.options).unwrap();
        let ok = self.in_container(|| {
            let mounted = rootfs.mount().unwrap();
            stage(&mounted);
            mounted.enter().unwrap();
            look();
        });
        assert!(ok, "the container's side failed");
    }

    /// As [`Self::run`], but prepared in the container's namespaces too, as for an ordinary user.
    pub fn run_inside(&self, look: impl FnOnce()) {
        let spec = self.spec();
        let ok = self.in_container(|| {
            let rootfs = Rootfs::prepare(&spec, &self.options).unwrap();
            rootfs.mount().and_then(Mounted::enter).unwrap();
            look();
        });
        assert!(ok, "the container's side failed");
    }

    /// How long the three parts take, in microseconds.
    pub fn times(&self) -> [u128; 3] {
        let spec = self.spec();
        let start = Instant::now();
        let rootfs = Rootfs::prepare(&spec, &self.options).unwrap();
        let prepared = start.elapsed().as_micros();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        assert!(self.in_container(|| {
            let start = Instant::now();
            let mounted = rootfs.mount().unwrap();
            let mount = start.elapsed().as_micros();
            mounted.enter().unwrap();
            let enter = start.elapsed().as_micros() - mount;
            writeln!(fs::File::from(writer), "{mount} {enter}").unwrap();
        }));
        let mut text = [0; 64];
        let length = rustix::io::read(&reader, &mut text).unwrap();
        let text = String::from_utf8_lossy(&text[..length]);
        let mut numbers = text
            .split_whitespace()
            .map(|number| number.parse().unwrap());
        [prepared, numbers.next().unwrap(), numbers.next().unwrap()]
    }

    /// The error that stops the container, whichever part it comes from.
    pub fn error(&self) -> String {
        let spec = self.spec();
        let rootfs = match Rootfs::prepare(&spec, &self.options) {
            Ok(rootfs) => rootfs,
            Err(error) => return error.to_string(),
        };
        let note = self.path("error");
        let file = fs::File::create(&note).unwrap();
        self.in_container(|| {
            if let Err(error) = rootfs.mount().and_then(Mounted::enter) {
                (&file).write_all(error.to_string().as_bytes()).unwrap();
            }
        });
        fs::read_to_string(note).unwrap()
    }

    fn in_container(&self, body: impl FnOnce()) -> bool {
        let kinds = self.config["linux"]["namespaces"].to_string();
        let network = if kinds.contains("network") { NEWNET } else { 0 };
        let plain = NEWNS | NEWPID | NEWIPC | network;
        if !kinds.contains("user") {
            return fork(plain, body);
        }
        let (gate, opener) = rustix::pipe::pipe().unwrap();
        match (Clone {
            namespaces: plain | NEWUSER,
            ..Clone::default()
        })
        .spawn()
        .unwrap()
        {
            Cloned::Parent(pid, _) => {
                for map in ["uid_map", "gid_map"] {
                    fs::write(
                        format!("/proc/{}/{map}", pid.as_raw_nonzero()),
                        "0 100000 65536",
                    )
                    .unwrap();
                }
                drop(opener);
                wait(pid)
            }
            Cloned::Child => {
                drop(opener);
                rustix::io::read(&gate, &mut [0_u8; 1]).unwrap();
                let ok = catch_unwind(AssertUnwindSafe(|| {
                    let (uid, gid) = (rustix::fs::Uid::ROOT, rustix::fs::Gid::ROOT);
                    set_thread_res_gid(gid, gid, gid).unwrap();
                    set_thread_res_uid(uid, uid, uid).unwrap();
                    body();
                }));
                exit(i32::from(ok.is_err()))
            }
        }
    }
}

/// One line of `/proc/self/mountinfo`.
#[derive(Debug, Clone)]
pub struct Entry {
    pub options: String,
    /// Such as `shared:7` and `master:3`.
    pub peers: String,
    pub kind: String,
    pub superblock: String,
}

/// The topmost mount at `path`.
pub fn entry(path: &str) -> Entry {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = table
        .lines()
        .rfind(|line| line.split(' ').nth(4) == Some(path));
    let (head, tail) = line
        .unwrap_or_else(|| panic!("{path} is not mounted:\n{table}"))
        .split_once(" - ")
        .unwrap();
    let head: Vec<_> = head.split(' ').collect();
    let tail: Vec<_> = tail.split(' ').collect();
    Entry {
        options: head[5].into(),
        peers: head[6..].join(" "),
        kind: tail[0].into(),
        superblock: tail[2].into(),
    }
}

/// Whether a file can be made in the directory.
pub fn writable(directory: impl AsRef<Path>) -> bool {
    let probe = directory.as_ref().join(".probe");
    let made = fs::write(&probe, "").is_ok();
    if made {
        fs::remove_file(probe).unwrap();
    }
    made
}

/// Mounts a new tmpfs of this (private) mount namespace.
pub fn tmpfs(path: &Path) {
    fs::create_dir_all(path).unwrap();
    rustix::mount::mount(
        "tmpfs",
        path,
        "tmpfs",
        rustix::mount::MountFlags::empty(),
        None,
    )
    .unwrap();
}

pub fn mknod_null(path: &Path, minor: u32) {
    use rustix::fs::{FileType, Mode, makedev, mknodat};
    mknodat(
        CWD,
        path,
        FileType::CharacterDevice,
        Mode::from_raw_mode(0o666),
        makedev(1, minor),
    )
    .unwrap();
}

pub const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
pub const READONLY: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

fn docker_mounts() -> Value {
    json!([
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid", "noexec", "nodev"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]},
    ])
}
