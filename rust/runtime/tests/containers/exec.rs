//! Processes added to a running container.

use std::{fs, io::Read};

use pyctr_runtime::Kind;
use serde_json::json;

use crate::support::{Bundle, Case, process, wait};

pub const CASES: &[Case] = &[
    ("exec_is_inside", inside),
    ("exec_errors_have_the_words_and_codes_of_others", errors),
    ("exec_has_its_own_user_and_directory", user),
    ("exec_is_in_the_containers_cgroup", cgroup),
    ("exec_has_a_terminal", terminal),
    ("exec_needs_a_running_container", stopped),
    ("exec_shows_no_host_file", no_host_file),
];

fn inside() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let running = bundle.start();
    let (code, output) = running.exec(&[
        "sh",
        "-c",
        "hostname; cat /proc/1/cmdline | tr '\\0' ' '; echo; exit 3",
    ]);
    assert_eq!((code, output.as_str()), (3, "box\nsleep 60 \n"));
    let kinds = ["cgroup", "ipc", "mnt", "net", "pid", "uts", "user", "time"];
    let (_, output) = running.exec(&[
        "sh",
        "-c",
        "cd /proc/self/ns; for k in cgroup ipc mnt net pid uts user time; do readlink $k; done",
    ]);
    for (kind, found) in kinds.iter().zip(output.lines()) {
        let theirs = fs::read_link(format!(
            "/proc/{}/ns/{kind}",
            running.child.pid.as_raw_nonzero()
        ))
        .unwrap();
        assert_eq!(found, theirs.display().to_string(), "{kind}");
    }
}

fn errors() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let running = bundle.start();
    let error = |args: &[&str]| {
        let error = running.exec_with(process(args), |_| {}).unwrap_err();
        (error.exit_code(), error.to_string())
    };
    assert_eq!(
        error(&["foo"]),
        (
            127,
            "exec: \"foo\": executable file not found in $PATH".into()
        )
    );
    assert_eq!(
        error(&["/etc/passwd"]),
        (126, "exec: \"/etc/passwd\": permission denied".into())
    );
    let mut elsewhere = process(&["true"]);
    elsewhere["cwd"] = json!("/nope");
    let error = running.exec_with(elsewhere.clone(), |_| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "chdir to cwd (\"/nope\") failed: no such file or directory"
    );
    assert_eq!(
        running
            .exec_with(elsewhere, |options| options.create_cwd = true)
            .unwrap()
            .0,
        0
    );
    let error = running
        .exec_with(process(&["true"]), |options| options.user = "moon")
        .unwrap_err();
    assert!(
        error.to_string().starts_with("unable to find user moon"),
        "{error}"
    );
}

fn user() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let running = bundle.start();
    let mut process = process(&["sh", "-c", "id -u; id -G; echo $PWD"]);
    process["cwd"] = json!("/tmp");
    let (_, output) = running
        .exec_with(process, |options| options.user = "joe")
        .unwrap();
    assert_eq!(output, "1000\n1000 50\n/tmp\n");
}

fn cgroup() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let running = bundle.start();
    let (_, output) = running.exec(&["cat", "/proc/self/cgroup"]);
    assert!(
        !output.is_empty() && output.lines().all(|line| line.ends_with(":/")),
        "{output}"
    );
}

fn terminal() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let running = bundle.start();
    let mut document = process(&["sh", "-c", "tty; stty size"]);
    document["terminal"] = json!(true);
    document["consoleSize"] = json!({"height": 11, "width": 22});
    let process = pyctr_runtime::spec::Process::parse(document.to_string().as_bytes()).unwrap();
    let options = pyctr_runtime::ExecOptions::new(&process);
    let mut child = running.container.exec(&running.spec, options).unwrap();
    assert_eq!(wait(&child), 0);
    let mut text = Vec::new();
    let _ = fs::File::from(child.console.take().unwrap()).read_to_end(&mut text);
    assert_eq!(String::from_utf8(text).unwrap(), "/dev/pts/0\r\n11 22\r\n");
}

fn stopped() {
    let bundle = Bundle::new(&["true"]);
    let running = bundle.start();
    wait(&running.child);
    let error = running.exec_with(process(&["true"]), |_| {}).unwrap_err();
    assert_eq!(error.kind(), Kind::State);
    assert!(error.to_string().ends_with("it is not running"), "{error}");
}

/// CVE-2016-9962, CVE-2019-5736: a program given as a descriptor is none of ours.
fn no_host_file() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let running = bundle.start();
    for fd in 3..24 {
        let error = running
            .exec_with(process(&[&format!("/proc/self/fd/{fd}")]), |_| {})
            .unwrap_err();
        assert!([126, 127].contains(&error.exit_code()), "{fd}: {error}");
    }
}
