//! Processes that enter a group and do something there: this program again, with one thread.

use std::{
    env,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write, stdin, stdout},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    thread::sleep,
    time::Duration,
};

use pyctr_cgroup::{Cgroup, Driver};
use pyctr_sys::{
    clone::{Clone, Cloned},
    namespace::unshare,
};
use rustix::{
    mount::{MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount},
    process::{Pid, WaitOptions, getpid, waitpid},
    thread::UnshareFlags,
};

/// First argument of such a process.
pub const MARK: &str = "process-in-a-group";

/// A running process. It dies with this value, at the latest when its standard input is closed.
pub struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    /// Starts a process, which enters the group and then waits to be told to [`go`](Self::go).
    pub fn start(group: &Cgroup, work: &[&str]) -> Self {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args([MARK, group.path()]).args(work);
        Self::spawn(command)
    }

    /// Starts a process by a command of one's own.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut process = Self { child, output };
        assert_eq!(process.line(), "ready");
        process
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn go(&mut self) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        input.write_all(b"\n").expect("the process reads");
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .expect("the process writes");
        line.trim().to_owned()
    }

    /// Starts the work and gives the line that comes out.
    pub fn answer(mut self) -> String {
        self.go();
        self.line()
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is our child")
    }

    pub fn ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        // A failed test may have left it frozen; then its group takes care of it.
        for _ in 0..1000 {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            sleep(Duration::from_millis(1));
        }
    }
}

/// The process's own side.
pub fn main(arguments: &[String]) -> ExitCode {
    let [path, work, arguments @ ..] = arguments else {
        return ExitCode::FAILURE;
    };
    match work.as_str() {
        "make" => {
            say("ready");
            wait_for_input();
            return make(path);
        }
        "made" => return make(path),
        _ => {}
    }
    let group = Cgroup::open(path, Driver::Cgroupfs).expect("the group is there");
    if work == "born" {
        return born(&group);
    }
    group
        .entrance()
        .and_then(|entrance| {
            entrance.enter().expect("version 1 lets us in");
            // Being born in the group is tested by itself.
            if group.unified_fd().is_some() {
                group.join(getpid())
            } else {
                Ok(())
            }
        })
        .expect("the group lets us in");
    say("ready");
    wait_for_input();
    match work.as_str() {
        "wait" => wait_for_input(),
        "spin" => spin(),
        "eat" => eat(&arguments[0]),
        "fork" => fork(&arguments[0]),
        "multiply" => multiply(),
        "open" => open(arguments),
        "contained" => contained(&arguments[0]),
        _ => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

/// A child that is in all hierarchies from its first instruction on, as a container's first process.
fn born(group: &Cgroup) -> ExitCode {
    let entrance = group.entrance().expect("there is a way in");
    match (Clone {
        cgroup: group.unified_fd(),
        ..Clone::default()
    })
    .spawn()
    .expect("clone3 works")
    {
        Cloned::Child => {
            entrance.enter().expect("version 1 lets us in");
            say("ready");
            wait_for_input();
            say(&std::fs::read_to_string("/proc/self/cgroup")
                .expect("proc")
                .replace('\n', " "));
        }
        Cloned::Parent(pid, _) => {
            waitpid(Some(pid), WaitOptions::empty()).expect("it is our child");
        }
    }
    ExitCode::SUCCESS
}

fn say(text: &str) {
    println!("{text}");
    stdout().flush().expect("somebody reads");
}

/// Returns at the next byte or at the end of input.
fn wait_for_input() {
    let _ = stdin().read(&mut [0]);
}

fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

/// Touches so many mebibytes and says so.
fn eat(mebibytes: &str) {
    let mebibytes: usize = mebibytes.parse().expect("a number");
    let mut memory = vec![0_u8; mebibytes << 20];
    memory.iter_mut().step_by(4096).for_each(|byte| *byte = 1);
    std::hint::black_box(&memory);
    say("full");
    wait_for_input();
}

/// Starts so many children and says how many it got.
fn fork(wanted: &str) {
    let wanted: usize = wanted.parse().expect("a number");
    let mut children: Vec<Pid> = Vec::new();
    for _ in 0..wanted {
        match Clone::default().spawn() {
            Ok(Cloned::Child) => {
                // Ends with the parent.
                wait_for_input();
                std::process::exit(0);
            }
            Ok(Cloned::Parent(pid, _)) => children.push(pid),
            Err(_) => break,
        }
    }
    say(&children.len().to_string());
    for pid in children {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        let _ = waitpid(Some(pid), WaitOptions::empty());
    }
}

/// Every process makes another one and ends, for ever: a group that is never the same when looked at twice.
fn multiply() {
    say("multiplying");
    loop {
        match Clone::default().spawn() {
            Ok(Cloned::Parent(..)) => std::process::exit(0),
            Ok(Cloned::Child) | Err(_) => sleep(Duration::from_micros(100)),
        }
    }
}

/// Makes a group with limits and says where it is and what holds there.
fn make(path: &str) -> ExitCode {
    let limits = r#"{"memory": {"limit": 104857600}, "pids": {"limit": 33}}"#;
    let limits = serde_json::from_str(limits).expect("resources");
    let made = Cgroup::create(path, Driver::Cgroupfs).and_then(|group| {
        group.update(&limits)?;
        let (stats, places) = (group.stats()?, group.paths());
        group.remove()?;
        let place = places.values().next().expect("a hierarchy");
        Ok(format!(
            "{} {} {}",
            place.display(),
            stats.memory.usage.limit,
            stats.pids.limit
        ))
    });
    say(&made.unwrap_or_else(|error| error.to_string()));
    ExitCode::SUCCESS
}

/// The same as a new program in a cgroup namespace whose top is our group.
fn contained(path: &str) {
    unshare(UnshareFlags::NEWCGROUP | UnshareFlags::NEWNS).expect("root may");
    mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .expect("root may");
    unmount("/sys/fs/cgroup", UnmountFlags::DETACH).expect("root may");
    mount(
        "cgroup2",
        "/sys/fs/cgroup",
        "cgroup2",
        MountFlags::empty(),
        None,
    )
    .expect("root may");
    let error = Command::new(env::current_exe().expect("this program"))
        .args([MARK, path, "made"])
        .exec();
    say(&error.to_string());
}

/// Opens files and says which of them it could open, in words such as `read:ok`.
fn open(arguments: &[String]) {
    let attempt = |argument: &String| {
        let (how, path) = argument.split_once(':').expect("how:path");
        let result = match how {
            "read" => File::open(path).map(drop),
            _ => OpenOptions::new().write(true).open(path).map(drop),
        };
        match result {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!("{:?}", error.kind()),
        }
    };
    say(&arguments.iter().map(attempt).collect::<Vec<_>>().join(" "));
}
