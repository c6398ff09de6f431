//! Hooks of all six kinds, at their moments and in their places.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Bundle, Case, wait};

pub const CASES: &[Case] = &[
    ("hooks_run_in_order_and_place", order),
    ("a_failing_hook_stops_the_start", failing),
];

fn hook(log: &str, word: &str, shell: &str) -> Value {
    let script = format!(
        "read state; echo {word} $(readlink /proc/self/ns/mnt) >> {log}; echo \"$state\" > {log}.{word} || true"
    );
    json!([{"path": shell, "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"]}])
}

fn order() {
    let mut bundle = Bundle::shell("echo program >> /log; sleep 60");
    let log = bundle.path().join("log").display().to_string();
    bundle.set(
        "/hooks",
        json!({
            "prestart": hook(&log, "prestart", "/bin/sh"),
            "createRuntime": hook(&log, "createRuntime", "/bin/sh"),
            "createContainer": hook(&log, "createContainer", "/bin/sh"),
            "startContainer": hook("/log", "startContainer", "/bin/sh"),
            "poststart": hook(&log, "poststart", "/bin/sh"),
            "poststop": hook(&log, "poststop", "/bin/sh"),
        }),
    );
    let own = fs::read_link("/proc/self/ns/mnt")
        .unwrap()
        .display()
        .to_string();
    let (pid, theirs) = {
        let running = bundle.start();
        let theirs = fs::read_link(format!(
            "/proc/{}/ns/mnt",
            running.child.pid.as_raw_nonzero()
        ))
        .unwrap();
        running
            .container
            .kill(rustix::process::Signal::KILL)
            .unwrap();
        wait(&running.child);
        running.container.delete(false).unwrap();
        (
            running.child.pid.as_raw_nonzero().get(),
            theirs.display().to_string(),
        )
    };
    let expected: String = [
        ("prestart", &own),
        ("createRuntime", &own),
        ("createContainer", &theirs),
        ("poststart", &own),
        ("poststop", &own),
    ]
    .iter()
    .map(|(word, namespace)| format!("{word} {namespace}\n"))
    .collect();
    assert_eq!(fs::read_to_string(&log).unwrap(), expected);
    assert!(
        fs::read_to_string(bundle.rootfs().join("log"))
            .unwrap()
            .starts_with(&format!("startContainer {theirs}\n"))
    );
    let state =
        |path: String| serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap();
    let runtime = state(format!("{log}.createRuntime"));
    assert_eq!(
        (&runtime["status"], &runtime["pid"]),
        (&json!("creating"), &json!(pid))
    );
    assert_eq!(state(format!("{log}.poststop"))["status"], json!("stopped"));
    assert_eq!(
        state(
            bundle
                .rootfs()
                .join("log.startContainer")
                .display()
                .to_string()
        )["pid"],
        json!(1)
    );
}

fn failing() {
    for (kind, shell) in [
        ("prestart", "/bin/sh"),
        ("createRuntime", "/bin/sh"),
        ("createContainer", "/bin/sh"),
        ("startContainer", "/bin/sh"),
    ] {
        let mut bundle = Bundle::new(&["true"]);
        bundle.set(
            "/hooks",
            json!({kind: [{"path": shell, "args": ["sh", "-c", "echo broken; exit 3"]}]}),
        );
        let error = bundle.refused().to_string();
        assert_eq!(
            error,
            format!("error running {kind} hook #0: /bin/sh: failed with exit code 3: broken")
        );
    }
    let mut bundle = Bundle::new(&["true"]);
    bundle.set("/hooks", json!({"poststart": [{"path": "/nonexistent"}]}));
    let error = bundle.refused().to_string();
    assert!(error.contains("poststart hook #0"), "{error}");
}
