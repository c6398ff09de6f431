//! Device rules, as the kernel carries them out.

use pyctr_cgroup::DeviceRule;
use serde_json::json;

use crate::{
    process::Process,
    support::{Group, v2},
};

pub const TESTS: &[crate::Test] = &[
    ("harmless_devices_only", harmless_devices_only),
    ("one_more_device", one_more_device),
    ("all_devices", all_devices),
    ("rules_are_replaced", rules_are_replaced),
];

/// /dev/kmsg is on every machine and harmless to open.
const ASK: [&str; 4] = [
    "open",
    "write:/dev/null",
    "read:/dev/zero",
    "read:/dev/kmsg",
];

fn ask(group: &Group) -> String {
    Process::start(group, &ASK).answer()
}

fn rule(allow: bool, access: &str) -> serde_json::Value {
    json!({"allow": allow, "type": "c", "major": 1, "minor": 11, "access": access})
}

fn harmless_devices_only() {
    let group = Group::with("harmless", json!({}));
    assert_eq!(ask(&group), "ok ok PermissionDenied");
}

fn one_more_device() {
    let group = Group::with(
        "more",
        json!({"devices": [{"allow": false, "access": "rwm"}, rule(true, "r")]}),
    );
    assert_eq!(ask(&group), "ok ok ok");
    let process = Process::start(&group, &["open", "write:/dev/kmsg"]);
    assert_eq!(process.answer(), "PermissionDenied");
}

fn all_devices() {
    let group = Group::with(
        "all",
        json!({"devices": [{"allow": true, "access": "rwm"}]}),
    );
    assert_eq!(ask(&group), "ok ok ok");
    let group = Group::with(
        "but",
        json!({"devices": [{"allow": true, "access": "rwm"}, rule(false, "rw")]}),
    );
    assert_eq!(ask(&group), "ok ok PermissionDenied");
}

fn rules_are_replaced() {
    let group = Group::with("replaced", json!({"devices": [rule(true, "rw")]}));
    assert_eq!(ask(&group), "ok ok ok");
    group
        .change(json!({"pids": {"limit": 10}}))
        .expect("changed");
    assert_eq!(ask(&group), "ok ok ok", "no rules leave the old ones");
    for _ in 0..3 {
        group
            .change(json!({"devices": [DeviceRule::default()]}))
            .expect("changed");
        assert_eq!(ask(&group), "ok ok PermissionDenied");
        group
            .change(json!({"devices": [rule(true, "r")]}))
            .expect("changed");
        assert_eq!(ask(&group), "ok ok ok");
    }
    if v2() {
        let fd = group.unified_fd().expect("version 2");
        assert_eq!(
            pyctr_sys::bpf::cgroup_device_programs(fd).expect("asked"),
            1
        );
    }
}
