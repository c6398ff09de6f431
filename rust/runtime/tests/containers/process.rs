//! The process: user, rights, limits, environment, working directory, descriptors and terminal.

use std::{
    fs::{self, File},
    io::{Read, Write},
    os::fd::{AsRawFd, OwnedFd},
};

use pyctr_runtime::Kind;
use rustix::{
    io::{FdFlags, fcntl_setfd},
    termios::{Winsize, tcgetwinsize},
};
use serde_json::{Value, json};

use crate::support::{Bundle, CAPABILITIES, Case, wait};

pub const CASES: &[Case] = &[
    ("capabilities_are_the_documents", capabilities),
    ("users_are_looked_up_inside", users),
    ("hostile_passwd_is_no_user", hostile_passwd),
    ("environment_is_the_documents", environment),
    ("working_directory_is_inside", workdir),
    ("no_new_privileges_and_umask", privileges),
    ("limits_are_set_or_clamped", limits),
    ("seccomp_filters_calls", seccomp),
    (
        "seccomp_works_without_new_privileges_for_a_user",
        seccomp_user,
    ),
    ("seccomp_listener_goes_to_its_receiver", seccomp_listener),
    ("program_dies_with_its_parent", die_with_parent),
    ("sysctls_are_set_in_the_namespace", sysctls),
    ("only_standard_streams_are_inherited", descriptors),
    ("preserved_descriptors_are_inherited", preserved),
    ("keyring_is_its_own", keyring),
    ("terminal_is_the_containers", terminal),
    ("reaper_is_the_first_process", reaper),
    ("scheduling_is_set", scheduling),
];

fn lines(bundle: &Bundle) -> Vec<String> {
    let (code, output) = bundle.run();
    assert_eq!(code, 0, "{output}");
    output.lines().map(str::to_owned).collect()
}

fn capabilities() {
    let show = "grep Cap /proc/self/status | tr -d '\\t'";
    let none = "0000000000000000";
    let docker = "00000000a80425fb";
    let expect = |ids: [&str; 5]| {
        let [inheritable, permitted, effective, bounding, ambient] = ids;
        vec![
            format!("CapInh:{inheritable}"),
            format!("CapPrm:{permitted}"),
            format!("CapEff:{effective}"),
            format!("CapBnd:{bounding}"),
            format!("CapAmb:{ambient}"),
        ]
    };
    let mut bundle = Bundle::shell(show);
    assert_eq!(lines(&bundle), expect([none, docker, docker, docker, none]));
    bundle.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    assert_eq!(
        lines(&bundle),
        expect([none, none, none, docker, none]),
        "a user loses them"
    );
    let ambient = json!({"bounding": CAPABILITIES, "permitted": ["CAP_NET_BIND_SERVICE"], "effective": ["CAP_NET_BIND_SERVICE"],
        "inheritable": ["CAP_NET_BIND_SERVICE"], "ambient": ["CAP_NET_BIND_SERVICE"]});
    bundle.set("/process/capabilities", ambient);
    let bind = "0000000000000400";
    assert_eq!(lines(&bundle), expect([bind, bind, bind, docker, bind]));
    bundle
        .set("/process/capabilities", Value::Null)
        .set("/process/user", json!({}));
    assert_eq!(
        lines(&bundle),
        expect([none; 5]),
        "none asked for, none given, even to root"
    );
}

fn users() {
    let bundle = Bundle::shell("id -u; id -g; id -G; echo $HOME");
    let as_user = |user: &'static str| {
        let mut bundle = Bundle::shell("id -u; id -g; id -G; echo $HOME");
        bundle.set("/process/env", json!(["PATH=/bin"]));
        let (code, output) = bundle.run_with(|options| options.user = user);
        assert_eq!(code, 0, "{output}");
        output.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&bundle), ["0", "0", "0", "/"]);
    assert_eq!(as_user("joe"), ["1000", "1000", "1000 50", "/home/joe"]);
    assert_eq!(as_user("1000:4242"), ["1000", "4242", "4242", "/home/joe"]);
    assert_eq!(as_user("4242"), ["4242", "0", "0", "/"]);
    let error = bundle.refused_with(|options| options.user = "moon");
    assert_eq!(
        (error.exit_code(), error.to_string().as_str()),
        (
            125,
            "unable to find user moon: no matching entries in passwd file"
        )
    );
}

fn hostile_passwd() {
    let bundle = Bundle::new(&["true"]);
    let passwd = bundle.rootfs().join("etc/passwd");
    fs::remove_file(&passwd).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &passwd,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let error = bundle.refused_with(|options| options.user = "joe");
    assert!(
        error.to_string().ends_with("is not a regular file"),
        "{error}"
    );
    fs::remove_file(&passwd).unwrap();
    std::os::unix::fs::symlink("/../../../../etc/passwd", &passwd).unwrap();
    let error = bundle.refused_with(|options| options.user = "daemon");
    assert!(
        error.to_string().contains("etc/passwd")
            || error.to_string().contains("unable to find user"),
        "{error}"
    );
}

fn environment() {
    let mut bundle = Bundle::shell("env | grep -v '^_='");
    bundle.set("/process/env", json!(["PATH=/bin", "A=1", "broken", "A=2"]));
    let mut found = lines(&bundle);
    found.retain(|line| {
        !["PWD", "SHLVL", "OLDPWD"]
            .iter()
            .any(|name| line.starts_with(&format!("{name}=")))
    });
    found.sort();
    assert_eq!(found, ["A=2", "HOME=/root", "PATH=/bin"]);
}

fn workdir() {
    let mut bundle = Bundle::shell("echo $PWD; umask");
    bundle.set("/process/cwd", json!("/tmp"));
    assert_eq!(lines(&bundle), ["/tmp", "0022"]);
    bundle.set("/process/cwd", json!("/made/here"));
    let error = bundle.refused();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (
            Kind::CommandNotFound,
            "chdir to cwd (\"/made/here\") failed: no such file or directory"
        )
    );
    let (code, output) = bundle.run_with(|options| options.create_cwd = true);
    assert_eq!((code, output.as_str()), (0, "/made/here\n0022\n"));
    // CVE-2024-21626: whatever descriptor of the host's is open, it leads nowhere.
    for fd in 3..32 {
        bundle.set("/process/cwd", json!(format!("/proc/self/fd/{fd}")));
        bundle.refused();
    }
    std::os::unix::fs::symlink("/proc/self/fd/7", bundle.rootfs().join("link")).unwrap();
    bundle.set("/process/cwd", json!("/link"));
    bundle.refused();
}

fn privileges() {
    let mut bundle = Bundle::shell("umask; grep NoNewPrivs /proc/self/status | tr -d '\\t'");
    bundle.set("/process/user", json!({"umask": 0o77}));
    assert_eq!(lines(&bundle), ["0077", "NoNewPrivs:0"]);
    bundle.set("/process/noNewPrivileges", json!(true));
    assert_eq!(lines(&bundle), ["0077", "NoNewPrivs:1"]);
}

fn limits() {
    let mut bundle =
        Bundle::shell("ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj");
    bundle.set("/process/rlimits", json!([
        {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]));
    bundle.set("/process/oomScoreAdj", json!(300));
    assert_eq!(lines(&bundle), ["100", "200", "0", "300"]);
    // More than any kernel grants: nr_open is in the way even of those who may raise limits.
    bundle.set(
        "/process/rlimits",
        json!([{"type": "RLIMIT_NPROC", "soft": u64::MAX, "hard": u64::MAX}]),
    );
    let running = bundle.start();
    wait(&running.child);
    let own = rustix::process::getrlimit(rustix::process::Resource::Nproc).maximum;
    assert!(
        own.is_none()
            || running
                .child
                .warnings
                .iter()
                .any(|warning| warning.contains("RLIMIT_NPROC"))
    );
}

fn deny_chmod() -> Value {
    json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["chmod", "fchmod", "fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99}]})
}

fn seccomp() {
    let mut bundle = Bundle::shell(
        "touch /tmp/a; chmod 600 /tmp/a; echo $?; grep Seccomp: /proc/self/status | tr -d '\\t'",
    );
    assert_eq!(lines(&bundle), ["0", "Seccomp:0"]);
    bundle.set("/linux/seccomp", deny_chmod());
    let found = lines(&bundle);
    assert!(found[0].contains("assign requested address"), "{found:?}");
    assert_eq!(found[1..], ["1", "Seccomp:2"]);
    let mut bundle = Bundle::new(&["sleep", "60"]);
    bundle.set("/linux/seccomp", deny_chmod());
    let running = bundle.start();
    assert_eq!(
        running.exec(&[
            "sh",
            "-c",
            "touch /tmp/a; chmod 600 /tmp/a 2>/dev/null; echo $?"
        ]),
        (0, "1\n".into())
    );
}

fn seccomp_user() {
    let mut bundle =
        Bundle::shell("grep -E 'Seccomp:|CapEff|NoNew' /proc/self/status | tr -d '\\t'");
    bundle
        .set("/linux/seccomp", deny_chmod())
        .set("/process/user", json!({"uid": 1000, "gid": 1000}));
    let found = lines(&bundle);
    assert_eq!(
        found,
        ["CapEff:0000000000000000", "NoNewPrivs:0", "Seccomp:2"]
    );
}

fn seccomp_listener() {
    let mut bundle = Bundle::shell("echo ready; sleep 60");
    let path = bundle.path().join("listener");
    let receiver = std::os::unix::net::UnixListener::bind(&path).unwrap();
    bundle.set(
        "/linux/seccomp",
        json!({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "listenerMetadata": "hello",
            "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_NOTIFY"}]}),
    );
    let running = bundle.start();
    let (socket, _) = receiver.accept().unwrap();
    let (text, listener) = receive(&socket);
    let state: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(state["fds"], json!(["seccompFd"]));
    assert_eq!(state["metadata"], json!("hello"));
    assert_eq!(
        state["pid"],
        json!(running.child.pid.as_raw_nonzero().get())
    );
    assert_eq!(state["state"]["id"], json!(bundle.id));
    let link = fs::read_link(format!("/proc/self/fd/{}", listener.as_raw_fd())).unwrap();
    assert_eq!(link.to_str(), Some("anon_inode:seccomp notify"));
    bundle_without_listener();
}

fn bundle_without_listener() {
    let mut bundle = Bundle::new(&["true"]);
    let rules = json!([{"names": ["swapon"], "action": "SCMP_ACT_NOTIFY"}]);
    bundle.set(
        "/linux/seccomp",
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}),
    );
    assert!(
        bundle
            .refused()
            .to_string()
            .contains("seccomp.listenerPath")
    );
}

fn die_with_parent() {
    use pyctr_sys::clone::{Clone, Cloned};
    use rustix::process::{WaitOptions, waitpid};
    let mut bundle = Bundle::new(&["sleep", "60"]);
    bundle.set("/process/user", json!({"uid": 1000, "gid": 1000}));
    match Clone::default().spawn().unwrap() {
        Cloned::Child => {
            let (created, _) = bundle.create_with(|options| options.die_with_parent = true);
            // No destructor may get at the container.
            std::mem::forget(created.unwrap().start().unwrap());
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .unwrap();
            unreachable!()
        }
        Cloned::Parent(pid, _) => {
            waitpid(Some(pid), WaitOptions::empty()).unwrap();
        }
    }
    let container = pyctr_runtime::Container::open(&bundle.state_root(), &bundle.id).unwrap();
    for _ in 0..1000 {
        if container.status() == pyctr_runtime::Status::Stopped {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(container.status(), pyctr_runtime::Status::Stopped);
    container.delete(false).unwrap();
}

fn sysctls() {
    let mut bundle =
        Bundle::shell("cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shmmni");
    bundle.set(
        "/linux/sysctl",
        json!({"net.ipv4.ip_unprivileged_port_start": "7", "kernel/shmmni": "99"}),
    );
    assert_eq!(lines(&bundle), ["7", "99"]);
    assert_ne!(
        fs::read_to_string("/proc/sys/kernel/shmmni")
            .unwrap()
            .trim(),
        "99"
    );
}

fn descriptors() {
    // One without close-on-exec, as a careless caller leaves it.
    let file = File::open("/etc/passwd").unwrap();
    rustix::io::fcntl_setfd(&file, rustix::io::FdFlags::empty()).unwrap();
    // The shell's glob and ls hold one each.
    assert_eq!(
        lines(&Bundle::new(&["ls", "/proc/self/fd"])),
        ["0", "1", "2", "3"]
    );
}

fn preserved() {
    let mut found = String::new();
    let file = File::open("/etc/hostname")
        .or_else(|_| File::open("/etc/passwd"))
        .unwrap();
    let other = file.try_clone().unwrap();
    fcntl_setfd(&file, FdFlags::empty()).unwrap();
    // The numbers from 3 on are in use by the test itself, with close-on-exec.
    let count = u32::try_from(other.as_raw_fd() - 2).unwrap();
    let numbers = [file.as_raw_fd(), other.as_raw_fd()];
    let script = format!(
        "cat <&{} && ! test -e /proc/self/fd/{}",
        numbers[0], numbers[1]
    );
    let bundle = Bundle::shell(&script);
    let (code, output) = bundle.run_with(|options| options.preserve_fds = count);
    File::open("/etc/hostname")
        .or_else(|_| File::open("/etc/passwd"))
        .unwrap()
        .read_to_string(&mut found)
        .unwrap();
    assert_eq!((code, output), (0, found));
}

fn keyring() {
    if !fs::exists("/proc/keys").unwrap() {
        return;
    }
    for (no_new, expected) in [(false, true), (true, false)] {
        let bundle = Bundle::shell("cat /proc/keys");
        let (_, output) = bundle.run_with(|options| options.no_new_keyring = no_new);
        assert_eq!(output.contains(&format!("_ses.{}", bundle.id)), expected);
    }
}

fn terminal() {
    let mut bundle = Bundle::shell(
        "tty; stty size; echo err >&2; ls -l /dev/console | head -c 1; read line; echo got $line",
    );
    bundle
        .set("/process/terminal", json!(true))
        .set("/process/consoleSize", json!({"height": 33, "width": 77}));
    let mut running = bundle.start();
    let mut master = File::from(running.child.console.take().unwrap());
    assert!(matches!(
        tcgetwinsize(&master),
        Ok(Winsize {
            ws_row: 33,
            ws_col: 77,
            ..
        })
    ));
    master.write_all(b"input\n").unwrap();
    assert_eq!(wait(&running.child), 0);
    let mut text = Vec::new();
    // The end of a terminal is EIO.
    let _ = master.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap().replace('\r', "");
    for part in ["/dev/pts/0\n", "33 77\n", "err\n", "\nc", "got input\n"] {
        assert!(text.contains(part), "{text:?}");
    }
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut second = Bundle::shell("echo $((6 * 7))");
    second.set("/process/terminal", json!(true));
    let sent = second.start_with(|options| options.console_socket = Some(OwnedFd::from(theirs)));
    assert!(sent.child.console.is_none());
    wait(&sent.child);
    let mut master = File::from(receive(&ours).1);
    let mut buffer = [0; 16];
    let read = master.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..read], b"42\r\n");
}

/// The text and the descriptor of a message.
fn receive(socket: &std::os::unix::net::UnixStream) -> (String, OwnedFd) {
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut bytes = [0; 4096];
    let mut parts = [std::io::IoSliceMut::new(&mut bytes)];
    let received = recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC)
        .unwrap()
        .bytes;
    let message = control.drain().next().unwrap();
    let RecvAncillaryMessage::ScmRights(mut fds) = message else {
        panic!("no descriptor")
    };
    (
        String::from_utf8_lossy(&bytes[..received]).into_owned(),
        fds.next().unwrap(),
    )
}

fn reaper() {
    let own = std::env::current_exe().unwrap();
    let with_libraries = |args: &[&str]| {
        let mut bundle = Bundle::new(args);
        let mounts = bundle.document["mounts"].as_array_mut().unwrap();
        // This test is no static program.
        for dir in ["/lib", "/lib64", "/usr/lib"]
            .iter()
            .filter(|dir| fs::exists(dir).unwrap())
        {
            mounts.push(json!({"destination": dir, "source": dir, "type": "bind", "options": ["rbind", "ro"]}));
        }
        bundle
    };
    let run = |script: &str| {
        with_libraries(&["sh", "-c", script]).run_with(|options| options.init = Some(&own))
    };
    let (code, output) = run("echo $$; cat /proc/1/cmdline | tr '\\0' ' '; exit 9");
    let lines: Vec<_> = output.lines().collect();
    assert_ne!(lines[0], "1");
    assert!(
        lines[1].starts_with("/sbin/docker-init -- sh -c"),
        "{output}"
    );
    assert_eq!(code, 9);
    assert_eq!(run("kill -9 $$").0, 137);
    // An orphan is buried: no process is left over but the reaper, the shell and ps.
    let (code, output) = run("(sleep 0.01 & ) ; sleep 0.2; ps -o stat | grep -c Z");
    assert_eq!((code, output.as_str()), (1, "0\n"), "{output}");
    let bundle = with_libraries(&[
        "sh",
        "-c",
        "trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done",
    ]);
    let running = bundle.start_with(|options| options.init = Some(&own));
    running.until("ready");
    running
        .container
        .kill(rustix::process::Signal::TERM)
        .unwrap();
    assert_eq!(wait(&running.child), 4);
    let bundle = with_libraries(&["nothing-like-it"]);
    assert_eq!(bundle.run_with(|options| options.init = Some(&own)).0, 127);
}

fn scheduling() {
    let mut bundle = Bundle::shell("cut -d' ' -f19 /proc/self/stat; uname -m");
    bundle.set(
        "/process/scheduler",
        json!({"policy": "SCHED_BATCH", "nice": 5}),
    );
    bundle.set(
        "/process/ioPriority",
        json!({"class": "IOPRIO_CLASS_IDLE", "priority": 0}),
    );
    bundle.set("/linux/personality", json!({"domain": "LINUX32"}));
    let machine = if cfg!(target_arch = "x86_64") {
        "i686"
    } else {
        "armv8l"
    };
    assert_eq!(lines(&bundle), ["5", machine]);
}
