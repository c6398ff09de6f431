//! Namespaces: new ones, those of others, the host's, and users that are mapped.

use std::fs;

use serde_json::json;

use crate::support::{Bundle, Case};

pub const CASES: &[Case] = &[
    ("new_namespaces_are_not_the_hosts", new_ones),
    ("absent_namespaces_are_the_hosts", absent),
    ("namespaces_of_another_container_are_joined", joined),
    ("a_joined_pid_namespace_is_left_again", joined_pid),
    ("parameters_of_the_host_stay", parameters),
    ("clocks_are_shifted", time),
    ("container_root_is_not_host_root", user),
    ("user_namespace_joins_the_hosts_network", user_with_foreign),
    ("a_user_namespace_is_joined_by_path", joined_user),
    ("a_mount_namespace_is_joined_by_path", joined_mount),
];

const KINDS: [&str; 7] = ["cgroup", "ipc", "mnt", "net", "pid", "time", "uts"];

fn own(kind: &str) -> String {
    fs::read_link(format!("/proc/self/ns/{kind}"))
        .unwrap()
        .display()
        .to_string()
}

fn inside(bundle: &Bundle) -> Vec<String> {
    let (code, output) = bundle.run();
    assert_eq!(code, 0, "{output}");
    output.lines().map(str::to_owned).collect()
}

/// A container that prints its namespaces, one a line.
fn printer() -> Bundle {
    Bundle::shell(
        "cd /proc/self/ns; for kind in cgroup ipc mnt net pid time uts; do readlink $kind; done",
    )
}

fn new_ones() {
    let mut bundle = printer();
    bundle.namespace("time", None);
    for (kind, theirs) in KINDS.iter().zip(inside(&bundle)) {
        assert_ne!(theirs, own(kind), "{kind}");
    }
    let bundle = Bundle::shell(
        "echo $$; hostname; ip -o link | wc -l; ip -o link show lo | grep -c UP; cat /proc/self/cgroup",
    );
    let lines = inside(&bundle);
    assert_eq!(lines[..4], ["1", "box", "1", "1"]);
    assert!(
        lines[4..].iter().all(|line| line.ends_with(":/")),
        "{lines:?}"
    );
}

/// Naming the host's own namespace does not make it the container's.
fn parameters() {
    let mut bundle = printer();
    bundle
        .namespace("network", Some("/proc/self/ns/net"))
        .set("/linux/sysctl", json!({"net.ipv4.ip_default_ttl": "64"}));
    let error = bundle.create_with(|_| {}).0.expect_err("refused");
    let wanted =
        "linux.sysctl.net.ipv4.ip_default_ttl: /proc/self/ns/net is the host's network namespace";
    assert!(error.to_string().contains(wanted), "{error}");
}

fn absent() {
    let mut bundle = printer();
    bundle
        .set("/linux/namespaces", json!([{"type": "mount"}]))
        .set("/hostname", json!(""));
    let found = inside(&bundle);
    for (kind, theirs) in KINDS.iter().zip(found) {
        assert_eq!(theirs == own(kind), *kind != "mnt", "{kind}");
    }
}

fn joined() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let first = bundle.start();
    let pid = first.child.pid.as_raw_nonzero();
    let mut bundle = printer();
    for (kind, file) in [
        ("network", "net"),
        ("ipc", "ipc"),
        ("uts", "uts"),
        ("pid", "pid"),
    ] {
        bundle.namespace(kind, Some(&format!("/proc/{pid}/ns/{file}")));
    }
    bundle.set("/hostname", json!(""));
    for (kind, theirs) in KINDS.iter().zip(inside(&bundle)) {
        let first = fs::read_link(format!("/proc/{pid}/ns/{kind}"))
            .unwrap()
            .display()
            .to_string();
        let shared = ["net", "ipc", "uts", "pid", "time"].contains(kind);
        assert_eq!(theirs == first, shared, "{kind}");
    }
}

fn joined_pid() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let first = bundle.start();
    let path = format!("/proc/{}/ns/pid", first.child.pid.as_raw_nonzero());
    let mut bundle = Bundle::shell("echo $$; cat /proc/1/cmdline | tr '\\0' ' '");
    bundle.namespace("pid", Some(&path));
    let lines = inside(&bundle);
    assert_ne!(lines[0], "1");
    assert_eq!(lines[1], "sleep 60 ");
    assert_eq!(
        inside(&Bundle::shell("echo $$")),
        ["1"],
        "the runtime's next child is in a namespace of its own"
    );
}

fn time() {
    let mut bundle = Bundle::shell("cat /proc/uptime");
    bundle.namespace("time", None).set(
        "/linux/timeOffsets",
        json!({"boottime": {"secs": 1_000_000_000}, "monotonic": {"secs": 7}}),
    );
    let uptime: f64 = inside(&bundle)[0]
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(uptime > 1e9, "{uptime}");
}

fn mapped(bundle: &mut Bundle) -> &mut Bundle {
    let maps = json!([{"containerID": 0, "hostID": 100_000, "size": 65536}]);
    chown(bundle);
    bundle
        .namespace("user", None)
        .set("/linux/uidMappings", maps.clone())
        .set("/linux/gidMappings", maps)
}

/// The root file system belongs to the container's root.
fn chown(bundle: &Bundle) {
    let status = std::process::Command::new("chown")
        .args(["-hR", "100000:100000"])
        .arg(bundle.rootfs())
        .status();
    assert!(status.unwrap().success());
}

fn user() {
    let mut bundle = Bundle::shell(
        "id -u; cat /proc/self/uid_map | tr -s ' '; touch /made; stat -c %u /made; ip link set lo down; echo $?",
    );
    mapped(&mut bundle);
    bundle.set("/process/capabilities/bounding", json!(["CAP_NET_ADMIN"]));
    bundle.set("/process/capabilities/permitted", json!(["CAP_NET_ADMIN"]));
    bundle.set("/process/capabilities/effective", json!(["CAP_NET_ADMIN"]));
    assert_eq!(inside(&bundle), ["0", " 0 100000 65536", "0", "0"]);
    use std::os::unix::fs::MetadataExt;
    assert_eq!(
        fs::metadata(bundle.rootfs().join("made")).unwrap().uid(),
        100_000
    );
}

fn user_with_foreign() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let first = bundle.start();
    let pid = first.child.pid.as_raw_nonzero();
    let mut bundle = Bundle::shell("readlink /proc/self/ns/net; id -u");
    mapped(&mut bundle).namespace("network", Some(&format!("/proc/{pid}/ns/net")));
    // A sysfs shows a network namespace, and belongs to the owner of that.
    let mounts = bundle.document["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| !mount["destination"].as_str().unwrap().starts_with("/sys"));
    let net = fs::read_link(format!("/proc/{pid}/ns/net"))
        .unwrap()
        .display()
        .to_string();
    assert_eq!(inside(&bundle), [net.as_str(), "0"]);
}

fn joined_user() {
    let mut bundle = Bundle::new(&["sleep", "60"]);
    mapped(&mut bundle);
    let first = bundle.start();
    let pid = first.child.pid.as_raw_nonzero();
    let link = |kind: &str| {
        fs::read_link(format!("/proc/{pid}/ns/{kind}"))
            .unwrap()
            .display()
            .to_string()
    };
    let mut second =
        Bundle::shell("readlink /proc/self/ns/user; readlink /proc/self/ns/net; id -u; echo $$");
    chown(&second);
    second.namespace("user", Some(&format!("/proc/{pid}/ns/user")));
    second.namespace("network", Some(&format!("/proc/{pid}/ns/net")));
    assert_eq!(
        inside(&second),
        [link("user").as_str(), link("net").as_str(), "0", "1"]
    );
    let (code, output) = first.exec(&["sh", "-c", "readlink /proc/self/ns/user; id -u"]);
    assert_eq!((code, output), (0, format!("{}\n0\n", link("user"))));
}

fn joined_mount() {
    let bundle = Bundle::new(&["sleep", "60"]);
    let first = bundle.start();
    let pid = first.child.pid.as_raw_nonzero();
    let mut second = Bundle::shell("readlink /proc/self/ns/mnt");
    second.namespace("mount", Some(&format!("/proc/{pid}/ns/mnt")));
    second.namespace("pid", Some(&format!("/proc/{pid}/ns/pid")));
    let mount = fs::read_link(format!("/proc/{pid}/ns/mnt"))
        .unwrap()
        .display()
        .to_string();
    assert_eq!(inside(&second), [mount]);
}
