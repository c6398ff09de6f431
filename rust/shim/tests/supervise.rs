//! A supervisor and one program: streams, log, exit record, signals, failures.

mod support;

use pyctr_shim::frame::Kind;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::{Value, json};
use support::{Bundle, is_root, wait_for_end};

fn log_texts(bundle: &Bundle) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(bundle.path("log.json")).expect("log");
    let entries = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let field = |entry: &Value, key: &str| entry[key].as_str().expect("text").to_owned();
    entries
        .map(|entry| (field(&entry, "stream"), field(&entry, "log")))
        .collect()
}

/// Whether a process of this pid exists and is no zombie.
fn is_alive(pid: i64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn output_exit_code_log_and_record() {
    if !is_root() {
        return;
    }
    let bundle = Bundle::new("echo out; echo err >&2; exit 3");
    let (birth, reply) = bundle.started();
    assert_eq!(reply["warnings"], json!([]));
    let outcome = birth.finish();
    assert_eq!(
        (
            outcome.text(),
            outcome.stderr.as_slice(),
            outcome.exit_code()
        ),
        ("out\n", &b"err\n"[..], 3)
    );
    bundle.assert_gone();
    let record = bundle.json("exit.json");
    assert_eq!(record, outcome.exit);
    assert_eq!(
        (&record["pid"], &record["started_at"]),
        (&reply["pid"], &reply["started_at"])
    );
    assert_eq!(
        (&record["oom_killed"], &record["error"]),
        (&json!(false), &json!(""))
    );
    let mut logged = log_texts(&bundle);
    logged.sort();
    assert_eq!(
        logged,
        [("stderr", "err\n"), ("stdout", "out\n")]
            .map(|(stream, text)| (stream.to_owned(), text.to_owned()))
    );
}

#[test]
fn input_comes_through_exactly_and_ends() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("cat; exit 7");
    bundle.shim["stdin"] = json!(true);
    bundle.shim["stdin_once"] = json!(true);
    let (birth, _) = bundle.started();
    let input: Vec<u8> = (0..3_000_000u32).map(|n| (n ^ (n >> 8)) as u8).collect();
    let mut attached = bundle.connect();
    attached.send(
        Kind::Request,
        json!({"op": "attach", "stdout": true})
            .to_string()
            .as_bytes(),
    );
    assert_eq!(attached.document().0, Kind::Ok);
    let second = std::thread::spawn(move || attached.finish());
    // The echo comes back while we still send, so both directions must flow at once.
    let mut sender = birth.another_end();
    let sent = input.clone();
    let sending = std::thread::spawn(move || {
        sent.chunks(100_000)
            .for_each(|part| sender.send(Kind::Stdin, part));
        sender.send(Kind::Stdin, b"");
    });
    let outcome = birth.finish();
    sending.join().expect("thread");
    assert!(outcome.stdout == input && outcome.exit_code() == 7);
    assert!(
        second.join().expect("thread").stdout == input,
        "the second client has seen something else"
    );
    bundle.assert_gone();
}

#[test]
fn a_line_of_64_mib_comes_back_exact() {
    if !is_root() {
        return;
    }
    let bundle = Bundle::new("head -c 67108864 /dev/zero | tr '\\0' x; echo");
    let (birth, _) = bundle.started();
    let outcome = birth.finish();
    assert_eq!(outcome.stdout.len(), (64 << 20) + 1);
    assert!(outcome.stdout[..64 << 20].iter().all(|&byte| byte == b'x'));
    let logged: usize = log_texts(&bundle).iter().map(|(_, text)| text.len()).sum();
    assert_eq!(logged, (64 << 20) + 1);
    bundle.assert_gone();
}

#[test]
fn a_client_that_does_not_read_makes_the_program_wait() {
    if !is_root() {
        return;
    }
    let bundle = Bundle::new("seq 1 1000000");
    let (birth, _) = bundle.started();
    // Until the program has been made to wait: 1 MiB for the client, and what the socket and the pipe hold.
    let logged = || {
        bundle
            .path("log.json")
            .metadata()
            .map_or(0, |metadata| metadata.len())
    };
    let mut before = u64::MAX;
    while logged() != before || before == 0 {
        before = logged();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert!(!bundle.path("exit.json").exists());
    let expected: String = (1..=1_000_000).map(|n| format!("{n}\n")).collect();
    assert!(birth.finish().text() == expected);
    bundle.assert_gone();
}

#[test]
fn a_background_process_with_the_pipes_open_holds_up_nobody() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("sleep 1000 & echo $!; exit 4");
    let namespaces = bundle.config["linux"]["namespaces"]
        .as_array_mut()
        .expect("namespaces");
    namespaces.retain(|namespace| namespace["type"] != "pid");
    let (birth, _) = bundle.started();
    let outcome = birth.finish();
    assert_eq!(outcome.exit_code(), 4);
    bundle.assert_gone();
    assert!(!is_alive(outcome.text().trim().parse().expect("pid")));
}

#[test]
fn a_log_that_cannot_be_written_holds_up_nobody() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("seq 1 100000; read line");
    bundle.shim["log"]["path"] = json!("/dev/full");
    bundle.shim["stdin"] = json!(true);
    let (mut birth, _) = bundle.started();
    let mut output = 0;
    while output < 588_895 {
        let (kind, payload) = birth.frame().expect("output");
        assert_eq!(kind, Kind::Stdout);
        output += payload.len();
    }
    let (_, kind, state) = bundle.ask(json!({"op": "state"}));
    assert_eq!(kind, Kind::Ok);
    assert!(
        state["log_dropped"].as_u64().expect("count") > 588_895,
        "{state}"
    );
    birth.send(Kind::Stdin, b"go\n");
    assert_eq!(birth.finish().exit_code(), 0);
    bundle.assert_gone();
}

#[test]
fn signals_and_waiting() {
    if !is_root() {
        return;
    }
    let bundle = Bundle::new("trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done");
    let (mut birth, _) = bundle.started();
    assert_eq!(birth.frame(), Some((Kind::Stdout, b"ready\n".to_vec())));
    let mut waiting = bundle.connect();
    waiting.send(Kind::Request, br#"{"op": "wait"}"#);
    let (_, kind, _) = bundle.ask(json!({"op": "signal", "signal": 99}));
    assert_eq!(kind, Kind::Error);
    birth.send(Kind::Signal, br#"{"signal": 10}"#);
    assert_eq!(birth.finish().exit_code(), 9);
    assert_eq!(waiting.finish().exit_code(), 9);
    bundle.assert_gone();
}

#[test]
fn a_terminal_has_a_size_and_job_control() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("read go; stty size; tty >/dev/null && echo terminal; exit 5");
    bundle.config["process"]["terminal"] = json!(true);
    bundle.shim["stdin"] = json!(true);
    let (mut birth, _) = bundle.started();
    birth.send(Kind::Resize, br#"{"rows": 33, "cols": 111}"#);
    birth.send(Kind::Stdin, b"go\r");
    let outcome = birth.finish();
    assert_eq!(
        (outcome.text(), outcome.exit_code()),
        ("go\r\n33 111\r\nterminal\r\n", 5)
    );
    bundle.assert_gone();
}

#[test]
fn what_cannot_run_leaves_a_record_and_nothing_else() {
    if !is_root() {
        return;
    }
    for (program, code) in [("/no/such/program", 127), ("/etc/passwd", 126)] {
        let mut bundle = Bundle::new("");
        bundle.config["process"]["args"] = json!([program]);
        let (kind, failure) = bundle.start().document();
        assert_eq!(
            (kind, &failure["code"]),
            (Kind::Error, &json!(code)),
            "{failure}"
        );
        bundle.assert_gone();
        let record = bundle.json("exit.json");
        assert_eq!(
            (&record["exit_code"], &record["error"]),
            (&json!(code), &failure["message"])
        );
    }
}

#[test]
fn a_bad_bundle_is_named() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("");
    bundle.shim["log"] = json!({"path": 7});
    let (kind, failure) = bundle.start().document();
    let message = failure["message"].as_str().expect("message");
    assert!(
        kind == Kind::Error && message.contains("shim.json: log.path: "),
        "{failure}"
    );
    bundle.assert_gone();
}

#[test]
fn a_second_supervisor_is_refused_and_the_first_goes_on() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("read line; echo $line");
    bundle.shim["stdin"] = json!(true);
    let (mut birth, _) = bundle.started();
    let (kind, failure) = bundle.start().document();
    assert_eq!(kind, Kind::Error);
    assert!(
        failure["message"]
            .as_str()
            .expect("message")
            .contains("has a supervisor already"),
        "{failure}"
    );
    birth.send(Kind::Stdin, b"still here\n");
    assert_eq!(birth.finish().text(), "still here\n");
    bundle.assert_gone();
}

#[test]
fn a_killed_supervisor_takes_its_program_along() {
    if !is_root() {
        return;
    }
    let bundle = Bundle::new("sleep 1000");
    let (_birth, reply) = bundle.started();
    let pid = Pid::from_raw(reply["pid"].as_i64().expect("pid") as i32).expect("pid");
    let program = pidfd_open(pid, PidfdFlags::empty()).expect("runs");
    bundle.kill_supervisor();
    wait_for_end(&program);
    assert!(!bundle.path("exit.json").exists());
}

#[test]
fn nonsense_disturbs_nobody() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("read line; echo $line");
    bundle.shim["stdin"] = json!(true);
    let (mut birth, _) = bundle.started();
    let mut idle = bundle.connect();
    idle.send_raw(&[3, 0, 0, 0, 0, 0]);
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[3, 0, 0, 0, 255, 255, 255, 255],
        &[1, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut conversation = bundle.connect();
        conversation.send_raw(bytes);
        assert_eq!(conversation.document().0, Kind::Error);
        assert!(conversation.frame().is_none());
    }
    for request in [
        json!({"op": "dance"}),
        json!([]),
        json!({"op": "resize", "rows": 1, "cols": 1}),
        json!({"op": "signal", "signal": 1, "exec": "x"}),
    ] {
        let (_, kind, reply) = bundle.ask(request);
        assert_eq!(kind, Kind::Error, "{reply}");
    }
    birth.send(Kind::Stdin, b"undisturbed\n");
    assert_eq!(birth.finish().text(), "undisturbed\n");
    bundle.assert_gone();
}

#[test]
fn memory_that_ran_out_is_told() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("tail /dev/zero");
    bundle.config["linux"]["resources"] = json!({"memory": {"limit": 20 << 20, "swap": 20 << 20}});
    let (birth, _) = bundle.started();
    let outcome = birth.finish();
    assert_eq!(
        (outcome.exit_code(), &outcome.exit["oom_killed"]),
        (137, &json!(true))
    );
    bundle.assert_gone();
}

#[test]
fn a_slow_reader_gets_everything_after_the_lock_is_free() {
    if !is_root() {
        return;
    }
    let bundle = Bundle::new("seq 1 150000; exit 2");
    let (birth, _) = bundle.started();
    bundle.assert_gone();
    assert_eq!(bundle.json("exit.json")["exit_code"], json!(2));
    let outcome = birth.finish();
    let expected: String = (1..=150_000).map(|n| format!("{n}\n")).collect();
    assert!(outcome.text() == expected && outcome.exit_code() == 2);
}

#[test]
fn a_record_that_cannot_go_where_it_belongs_is_in_the_bundle() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("exit 6");
    bundle.shim["exit_file"] = json!(bundle.path("none/record.json"));
    let (birth, _) = bundle.started();
    assert_eq!(birth.finish().exit_code(), 6);
    bundle.assert_gone();
    assert_eq!(bundle.json("exit.json")["exit_code"], json!(6));
}

#[test]
fn a_log_is_rotated() {
    if !is_root() {
        return;
    }
    let mut bundle = Bundle::new("seq 1 20000");
    bundle.shim["log"]["max_size"] = json!(100_000);
    bundle.shim["log"]["max_file"] = json!(3);
    let (birth, _) = bundle.started();
    assert_eq!(birth.finish().exit_code(), 0);
    bundle.assert_gone();
    let sizes = ["log.json", "log.json.1", "log.json.2"]
        .map(|name| bundle.path(name).metadata().expect(name).len());
    assert!(
        sizes[0] <= 100_000
            && sizes[1..]
                .iter()
                .all(|size| (99_000..=100_000).contains(size)),
        "{sizes:?}"
    );
    assert!(!bundle.path("log.json.3").exists());
    assert_eq!(log_texts(&bundle).last().expect("entries").1, "20000\n");
}

#[test]
fn who_asks_at_the_last_moment_learns_of_the_end() {
    if !is_root() {
        return;
    }
    let bundle = Bundle::new("sleep 1000");
    let (_birth, reply) = bundle.started();
    let program = Pid::from_raw(reply["pid"].as_i64().expect("pid") as i32).expect("pid");
    // Stopped, the supervisor learns of the end and of the request at once.
    let supervisor = bundle.supervisor().expect("pid");
    kill_process(supervisor, Signal::STOP).expect("stopped");
    kill_process(program, Signal::KILL).expect("killed");
    let mut conversation = bundle.connect();
    conversation.send(Kind::Request, br#"{"op": "wait"}"#);
    kill_process(supervisor, Signal::CONT).expect("continued");
    assert_eq!(conversation.finish().exit_code(), 137);
    bundle.assert_gone();
}
