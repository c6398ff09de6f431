//! Parsing and validating `config.json`.

use serde_json::{Value, json};

use super::{NamespaceType, Process, Spec, validate::normal_sysctl};

/// The smallest document that can be started.
fn minimal() -> Value {
    json!({
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": {"args": ["true"], "cwd": "/"},
        "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]},
    })
}

fn spec(document: &Value) -> Result<Spec, String> {
    let spec = Spec::parse(document.to_string().as_bytes()).map_err(|error| error.to_string())?;
    spec.validate().map_err(|error| error.to_string())?;
    Ok(spec)
}

/// The message for the minimal document with `value` put at the JSON pointer `at`.
fn refused(at: &str, value: Value) -> String {
    let mut document = minimal();
    let (parent, key) = at.rsplit_once('/').expect("a pointer");
    document.pointer_mut(parent).expect("the parent exists")[key] = value;
    spec(&document).expect_err("the document is refused")
}

#[test]
fn a_minimal_document_is_accepted() {
    let spec = spec(&minimal()).expect("valid");
    assert!(spec.linux.has_new(NamespaceType::Pid));
    assert!(spec.linux.namespace(NamespaceType::User).is_none());
}

#[test]
fn parse_errors_name_the_field() {
    let message = refused(
        "/linux/namespaces",
        json!([{"type": "mount"}, {"type": "moon"}]),
    );
    assert!(
        message.starts_with("config.json: linux.namespaces[1].type: unknown variant `moon`"),
        "{message}"
    );
    let message = refused("/process/args", json!("true"));
    assert!(
        message.starts_with("config.json: process.args: invalid type: string"),
        "{message}"
    );
    let message = refused(
        "/process/rlimits",
        json!([{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]),
    );
    assert!(
        message.starts_with("config.json: process.rlimits[0].type: unknown variant"),
        "{message}"
    );
}

#[test]
fn contradictions_name_the_field() {
    let cases = [
        (
            "/ociVersion",
            json!("2.0.0"),
            "ociVersion: version 2.0.0 is not supported",
        ),
        (
            "/ociVersion",
            json!("one"),
            "ociVersion: \"one\" is not a version",
        ),
        ("/process/args", json!([]), "process.args: is empty"),
        (
            "/process/cwd",
            json!("tmp"),
            "process.cwd: \"tmp\" is not an absolute path",
        ),
        (
            "/process/env",
            json!(["A=1", "B=\u{0}"]),
            "process.env[1]: contains a NUL byte",
        ),
        (
            "/process/oomScoreAdj",
            json!(1001),
            "process.oomScoreAdj: 1001",
        ),
        (
            "/hostname",
            json!("box"),
            "hostname: needs a private UTS namespace",
        ),
        (
            "/linux/uidMappings",
            json!([{"containerID": 0, "hostID": 0, "size": 1}]),
            "linux.uidMappings: needs a user",
        ),
        (
            "/linux/intelRdt",
            json!({"closID": "x"}),
            "linux.intelRdt: is not supported",
        ),
        (
            "/linux/timeOffsets",
            json!({"boottime": {"secs": 1}}),
            "linux.timeOffsets: needs a new time namespace",
        ),
        (
            "/linux/sysctl",
            json!({"kernel.panic": "1"}),
            "linux.sysctl.kernel.panic: is not a parameter",
        ),
        (
            "/linux/sysctl",
            json!({"net.ipv4.ip_forward": "1"}),
            "needs a private network namespace",
        ),
        (
            "/linux/maskedPaths",
            json!(["proc/kcore"]),
            "linux.maskedPaths[0]: must be absolute",
        ),
        (
            "/mounts",
            json!([{"destination": "/a/../b"}]),
            "mounts[0].destination: must not contain ..",
        ),
        (
            "/hooks",
            json!({"poststop": [{"path": "sh"}]}),
            "hooks.poststop[0].path: must be absolute",
        ),
        (
            "/linux/namespaces",
            json!([{"type": "mount"}, {"type": "mount"}]),
            "linux.namespaces[1]: mount is listed twice",
        ),
        (
            "/linux/namespaces",
            json!([{"type": "pid"}]),
            "a mount namespace is needed",
        ),
        (
            "/linux/namespaces",
            json!([{"type": "mount"}, {"type": "user"}]),
            "linux.uidMappings: a new user namespace",
        ),
    ];
    for (at, value, expected) in cases {
        let message = refused(at, value);
        assert!(message.contains(expected), "{at}: {message}");
    }
}

#[test]
fn an_empty_namespace_path_is_a_new_namespace() {
    let mut document = minimal();
    document["linux"]["namespaces"][1]["path"] = json!("");
    assert!(
        spec(&document)
            .expect("valid")
            .linux
            .has_new(NamespaceType::Pid)
    );
}

#[test]
fn sysctls_are_allowed_in_their_own_namespace() {
    let mut document = minimal();
    document["linux"]["namespaces"] =
        json!([{"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}]);
    document["linux"]["sysctl"] = json!({"net.ipv4.ip_forward": "1", "net/ipv4/tcp_ecn": "1", "kernel.sem": "1 2 3 4", "fs.mqueue.msg_max": "9"});
    spec(&document).expect("valid");
    document["linux"]["sysctl"] = json!({"net/../kernel/panic": "1"});
    assert!(
        spec(&document)
            .expect_err("escapes")
            .contains("is not a parameter")
    );
}

#[test]
fn slashes_and_dots_change_places() {
    assert_eq!(
        normal_sysctl("net/ipv4/conf/eth0.1/forwarding"),
        "net.ipv4.conf.eth0/1.forwarding"
    );
    assert_eq!(
        normal_sysctl("net.ipv4.conf.eth0/1.forwarding"),
        "net.ipv4.conf.eth0/1.forwarding"
    );
}

#[test]
fn a_process_of_its_own_has_no_prefix() {
    let process = Process::parse(br#"{"args": ["sh"], "cwd": ""}"#).expect("parses");
    let message = process.validate("").expect_err("relative").to_string();
    assert_eq!(message, "config.json: cwd: \"\" is not an absolute path");
}
