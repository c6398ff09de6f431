//! A supervisor and further programs in its container.

mod support;

use pyctr_shim::frame::Kind;
use serde_json::{Value, json};
use support::{Bundle, Conversation, is_root};

/// A container that idles until it is signalled.
fn idle() -> (Bundle, Conversation) {
    let bundle = Bundle::new("trap 'exit 0' USR1; echo ready; while :; do sleep 0.01; done");
    let (mut birth, _) = bundle.started();
    assert_eq!(birth.frame(), Some((Kind::Stdout, b"ready\n".to_vec())));
    (bundle, birth)
}

fn end(bundle: &Bundle, mut birth: Conversation) {
    birth.send(Kind::Signal, br#"{"signal": 10}"#);
    assert_eq!(birth.finish().exit_code(), 0);
    bundle.assert_gone();
}

fn request(id: &str, script: &str) -> Value {
    let process = json!({"cwd": "/", "args": ["/bin/sh", "-c", script], "env": ["PATH=/usr/bin:/bin"], "user": {"uid": 0, "gid": 0}});
    json!({"op": "exec", "id": id, "process": process, "stdout": true, "stderr": true})
}

#[test]
fn streams_exit_code_and_record() {
    if !is_root() {
        return;
    }
    let (bundle, birth) = idle();
    let mut asked = request("e1", "cat; echo err >&2; exit 6");
    asked["stdin"] = json!(true);
    let (mut exec, kind, reply) = bundle.ask(asked);
    assert_eq!(kind, Kind::Ok, "{reply}");
    exec.send(Kind::Stdin, b"in and out");
    exec.send(Kind::Stdin, b"");
    let outcome = exec.finish();
    assert_eq!(
        (
            outcome.text(),
            outcome.stderr.as_slice(),
            outcome.exit_code()
        ),
        ("in and out", &b"err\n"[..], 6)
    );
    let record = bundle.json("exec-e1.json");
    assert_eq!(
        (&record["exit_code"], &record["pid"]),
        (&json!(6), &reply["pid"])
    );
    end(&bundle, birth);
}

#[test]
fn it_runs_in_the_container_and_not_in_its_log() {
    if !is_root() {
        return;
    }
    let (bundle, birth) = idle();
    let (exec, ..) = bundle.ask(request(
        "e1",
        "readlink /proc/1/ns/pid /proc/self/ns/pid /proc/1/ns/net /proc/self/ns/net",
    ));
    let outcome = exec.finish();
    let lines: Vec<_> = outcome.text().lines().collect();
    assert!(
        lines.len() == 4 && lines[0] == lines[1] && lines[2] == lines[3],
        "{lines:?}"
    );
    end(&bundle, birth);
    let log = std::fs::read_to_string(bundle.path("log.json")).expect("log");
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn a_detached_one_leaves_its_record() {
    if !is_root() {
        return;
    }
    let (bundle, birth) = idle();
    let mut asked = request("later", "read line; exit 8");
    asked["detach"] = json!(true);
    let (mut conversation, kind, _) = bundle.ask(asked);
    assert_eq!(kind, Kind::Ok);
    while !bundle.path("exec-later.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // No input was asked for, so that reading finds the end at once.
    assert_eq!(bundle.json("exec-later.json")["exit_code"], json!(8));
    conversation.send(Kind::Request, br#"{"op": "state"}"#);
    assert_eq!(conversation.document().1["execs"], json!([]));
    end(&bundle, birth);
}

#[test]
fn signals_names_and_conflicts() {
    if !is_root() {
        return;
    }
    let (bundle, birth) = idle();
    let (exec, ..) = bundle.ask(request("e1", "sleep 1000"));
    let (_, kind, reply) = bundle.ask(request("e1", "true"));
    assert_eq!(
        (kind, &reply["code"]),
        (Kind::Error, &json!(409)),
        "{reply}"
    );
    let (_, kind, _) = bundle.ask(json!({"op": "signal", "signal": 15, "exec": "e1"}));
    assert_eq!(kind, Kind::Ok);
    assert_eq!(exec.finish().exit_code(), 143);
    let (_, kind, reply) = bundle.ask(json!({"op": "signal", "signal": 15, "exec": "e1"}));
    assert_eq!(
        (kind, &reply["code"]),
        (Kind::Error, &json!(404)),
        "{reply}"
    );
    let (_, kind, reply) = bundle.ask(request("../e", "true"));
    assert_eq!(
        (kind, &reply["code"]),
        (Kind::Error, &json!(400)),
        "{reply}"
    );
    end(&bundle, birth);
}

#[test]
fn what_cannot_run_is_an_error_and_nothing_else() {
    if !is_root() {
        return;
    }
    let (bundle, birth) = idle();
    let mut asked = request("e1", "");
    asked["process"]["args"] = json!(["/no/such/program"]);
    let (mut conversation, kind, reply) = bundle.ask(asked);
    assert_eq!(
        (kind, &reply["code"]),
        (Kind::Error, &json!(127)),
        "{reply}"
    );
    conversation.send(
        Kind::Request,
        request("e1", "echo again").to_string().as_bytes(),
    );
    assert_eq!(conversation.document().0, Kind::Ok);
    assert_eq!(conversation.finish().text(), "again\n");
    end(&bundle, birth);
}

#[test]
fn a_paused_container_refuses() {
    if !is_root() {
        return;
    }
    let (bundle, birth) = idle();
    let state_root = bundle.path("..").canonicalize().expect("state root");
    let container =
        pyctr_runtime::Container::open(&state_root, &bundle.id).expect("known to the runtime");
    container.pause().expect("paused");
    let (_, kind, reply) = bundle.ask(request("e1", "true"));
    container.resume().expect("resumed");
    assert_eq!(
        (kind, &reply["code"]),
        (Kind::Error, &json!(409)),
        "{reply}"
    );
    end(&bundle, birth);
}

#[test]
fn it_ends_with_the_container() {
    if !is_root() {
        return;
    }
    let (bundle, mut birth) = idle();
    let (exec, ..) = bundle.ask(request("e1", "sleep 1000"));
    birth.send(Kind::Signal, br#"{"signal": 9}"#);
    assert_eq!(birth.finish().exit_code(), 137);
    assert_eq!(exec.finish().exit_code(), 137);
    bundle.assert_gone();
}

#[test]
fn a_terminal_of_its_own() {
    if !is_root() {
        return;
    }
    let (bundle, birth) = idle();
    let mut asked = request("e1", "read go; stty size; exit 3");
    asked["tty"] = json!(true);
    asked["stdin"] = json!(true);
    let (mut exec, kind, reply) = bundle.ask(asked);
    assert_eq!(kind, Kind::Ok, "{reply}");
    let (_, kind, _) = bundle.ask(json!({"op": "resize", "rows": 12, "cols": 34, "exec": "e1"}));
    assert_eq!(kind, Kind::Ok);
    exec.send(Kind::Stdin, b"go\r");
    let outcome = exec.finish();
    assert_eq!(
        (outcome.text(), outcome.exit_code()),
        ("go\r\n12 34\r\n", 3)
    );
    end(&bundle, birth);
}
