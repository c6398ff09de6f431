//! A container starts, runs its program, can be acted on and goes without a trace.

use std::fs;

use pyctr_runtime::{Container, Created, Gate, Kind, Status};
use rustix::process::Signal;
use serde_json::json;

use crate::support::{Bundle, Case, process, wait};

pub const CASES: &[Case] = &[
    ("program_runs_and_its_exit_code_comes_back", program_runs),
    (
        "start_errors_have_the_words_and_codes_of_others",
        start_errors,
    ),
    ("created_container_waits_for_start", create_then_start),
    ("created_container_can_be_deleted", delete_created),
    ("names_are_taken_once", names),
    ("signals_reach_the_first_process", signals),
    ("pause_stops_and_resume_goes_on", pause),
    ("delete_kills_what_is_left", delete_kills),
    (
        "orphans_of_a_dead_container_are_killed",
        shared_pid_namespace,
    ),
    ("list_and_state_tell_the_truth", list),
    ("failed_setup_leaves_nothing", failed_setup),
];

fn program_runs() {
    assert_eq!(
        Bundle::shell("echo hello; exit 37").run(),
        (37, "hello\n".into())
    );
    assert_eq!(
        Bundle::shell("kill -9 $$; sleep 9").run().0,
        0,
        "the first process is immune to its own signals"
    );
}

fn start_errors() {
    let error = |args: &[&str]| {
        let error = Bundle::new(args).refused();
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
        error(&["/no/x"]),
        (
            127,
            "exec: \"/no/x\": stat /no/x: no such file or directory".into()
        )
    );
    assert_eq!(
        error(&["/etc/passwd"]),
        (126, "exec: \"/etc/passwd\": permission denied".into())
    );
    assert_eq!(
        error(&["/etc"]),
        (126, "exec: \"/etc\": is a directory".into())
    );
    let bundle = Bundle::new(&["/tmp/text"]);
    fs::write(bundle.rootfs().join("tmp/text"), "no program\n").unwrap();
    make_executable(&bundle, "tmp/text");
    let refused = bundle.refused();
    assert_eq!(
        (refused.exit_code(), refused.to_string().as_str()),
        (126, "exec /tmp/text: exec format error")
    );
}

fn make_executable(bundle: &Bundle, path: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(
        bundle.rootfs().join(path),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
}

fn create_then_start() {
    let bundle = Bundle::shell("echo started");
    let (created, mut output) = bundle.create_with(|options| options.gate = Gate::Fifo);
    let (_, child) = created.and_then(Created::leave).unwrap();
    let container = Container::open(&bundle.state_root(), &bundle.id).unwrap();
    assert_eq!(container.status(), Status::Created);
    container.start().unwrap();
    assert_eq!(wait(&child), 0);
    let mut text = String::new();
    std::io::Seek::rewind(&mut output).unwrap();
    std::io::Read::read_to_string(&mut output, &mut text).unwrap();
    assert_eq!(text, "started\n");
    assert_eq!(container.status(), Status::Stopped);
    assert_eq!(container.start().unwrap_err().kind(), Kind::State);
    container.delete(false).unwrap();
}

fn delete_created() {
    let bundle = Bundle::shell("echo never");
    let (created, _) = bundle.create_with(|options| options.gate = Gate::Fifo);
    let (container, child) = created.and_then(Created::leave).unwrap();
    container.delete(false).unwrap();
    assert_eq!(wait(&child), 137);
    assert!(!bundle.state_root().join(&bundle.id).exists());
}

fn names() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let running = bundle.start();
    let (second, _) = bundle.create_with(|_| {});
    let error = second.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (
            Kind::Exists,
            format!("container {} exists already", bundle.id)
        )
    );
    assert_eq!(
        running.container.status(),
        Status::Running,
        "the first one is untouched"
    );
    let other = Bundle::new(&["true"]);
    let directory = other.state_root().join(&other.id);
    fs::create_dir_all(&directory).unwrap();
    let making = fs::File::open(&directory).unwrap();
    rustix::fs::flock(&making, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let (second, _) = other.create_with(|_| {});
    assert_eq!(
        second.unwrap_err().kind(),
        Kind::Exists,
        "somebody is making it"
    );
    drop(making);
    assert_eq!(other.run().0, 0);
    let missing = Container::open(&bundle.state_root(), "nobody").unwrap_err();
    assert_eq!(
        (missing.kind(), missing.to_string().as_str()),
        (Kind::NoSuchContainer, "container nobody does not exist")
    );
    assert_eq!(
        Container::open(&bundle.state_root(), "../x")
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
}

fn signals() {
    let bundle =
        Bundle::shell("trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.01; done");
    let running = bundle.start();
    running.until("ready");
    running.container.kill(Signal::TERM).unwrap();
    assert_eq!(wait(&running.child), 5);
    assert_eq!(running.output(), "ready\ngot\n");
    assert_eq!(
        running.container.kill(Signal::TERM).unwrap_err().kind(),
        Kind::State
    );
    running.container.kill_all(Signal::TERM).unwrap();
}

fn pause() {
    let bundle = Bundle::shell("while :; do echo x; sleep 0.01; done");
    let running = bundle.start();
    running.until("x");
    running.container.pause().unwrap();
    assert_eq!(running.container.status(), Status::Paused);
    let before = running.output();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(running.output(), before, "it stands still");
    let refused = running.exec_with(process(&["true"]), |_| {}).unwrap_err();
    assert!(
        refused.to_string().contains("a paused container"),
        "{refused}"
    );
    assert_eq!(running.container.pause().unwrap_err().kind(), Kind::State);
    running.container.resume().unwrap();
    assert_eq!(running.container.status(), Status::Running);
    running.container.pause().unwrap();
    running.container.kill(Signal::KILL).unwrap();
    assert_eq!(
        wait(&running.child),
        137,
        "a paused container can be killed"
    );
}

fn delete_kills() {
    let bundle = Bundle::shell("sleep 60 & echo ready; sleep 60");
    let running = bundle.start();
    running.until("ready");
    assert_eq!(running.container.pids().unwrap().len(), 2);
    assert_eq!(
        running.container.delete(false).unwrap_err().kind(),
        Kind::State
    );
    running.container.delete(true).unwrap();
    assert!(!bundle.state_root().join(&bundle.id).exists());
    running.container.delete(true).unwrap();
}

fn shared_pid_namespace() {
    let mut bundle = Bundle::shell("sleep 60 & echo ready");
    let list = bundle.document["linux"]["namespaces"]
        .as_array_mut()
        .unwrap();
    list.retain(|entry| entry["type"] != "pid");
    let running = bundle.start();
    assert_eq!(wait(&running.child), 0);
    assert_eq!(running.container.status(), Status::Stopped);
    assert_eq!(
        running.container.pids().unwrap().len(),
        1,
        "its child lives on in the host's pid namespace"
    );
    running.container.delete(false).unwrap();
    assert!(running.container.pids().unwrap().is_empty());
}

fn list() {
    let mut bundle = Bundle::new(&["sleep", "60"]);
    bundle.set("/annotations", json!({"a.b": "c"}));
    let running = bundle.start();
    let (found, broken) = Container::list(&bundle.state_root()).unwrap();
    assert_eq!((found.len(), broken.len()), (1, 0));
    let state = serde_json::to_value(found[0].state()).unwrap();
    assert_eq!(state["id"], json!(bundle.id));
    assert_eq!(state["status"], json!("running"));
    assert_eq!(
        state["pid"],
        json!(running.child.pid.as_raw_nonzero().get())
    );
    assert_eq!(state["bundle"], json!(bundle.path()));
    assert_eq!(state["annotations"], json!({"a.b": "c"}));
    fs::create_dir(bundle.state_root().join("broken")).unwrap();
    fs::write(bundle.state_root().join("broken/state.json"), "{").unwrap();
    let (found, broken) = Container::list(&bundle.state_root()).unwrap();
    assert_eq!(
        (found.len(), broken.len()),
        (1, 1),
        "one sick container hides no other"
    );
    assert!(
        Container::list(&bundle.path().join("nowhere"))
            .unwrap()
            .0
            .is_empty()
    );
}

fn failed_setup() {
    let mut bundle = Bundle::new(&["true"]);
    let mounts = bundle.document["mounts"].as_array_mut().unwrap();
    mounts.push(json!({"destination": "/data", "type": "bind", "source": "/nonexistent", "options": ["bind"]}));
    let error = bundle.refused();
    assert!(error.to_string().contains("/nonexistent"), "{error}");
    let mut bundle = Bundle::new(&["true"]);
    bundle.set("/process/oomScoreAdj", json!(5000));
    assert_eq!(bundle.refused().kind(), Kind::Invalid);
    let mut bundle = Bundle::new(&["true"]);
    bundle.namespace("network", Some("/nonexistent/net"));
    assert!(
        bundle
            .refused()
            .to_string()
            .starts_with("cannot open the network namespace /nonexistent/net")
    );
}
