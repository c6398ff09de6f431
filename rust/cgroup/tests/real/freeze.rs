//! Freezing, thawing and killing.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, thread::sleep, time::Duration};

use pyctr_cgroup::{Cgroup, Driver};
use rustix::fs::{Mode, OFlags, openat};
use serde_json::json;

use crate::{
    process::Process,
    support::{Group, eventually, path},
};

pub const TESTS: &[crate::Test] = &[
    ("frozen_processes_stand_still", frozen_processes_stand_still),
    (
        "a_frozen_parent_is_not_oneself",
        a_frozen_parent_is_not_oneself,
    ),
    ("freezing_what_multiplies", freezing_what_multiplies),
    ("killing_what_multiplies", killing_what_multiplies),
    ("killing_what_is_frozen", killing_what_is_frozen),
    ("killing_what_is_frozen_below", killing_what_is_frozen_below),
    (
        "killing_what_is_frozen_far_below",
        killing_what_is_frozen_far_below,
    ),
    (
        "killing_what_is_in_one_hierarchy_only",
        killing_what_is_in_one_hierarchy_only,
    ),
];

fn time(group: &Group) -> u64 {
    group.stats().expect("read").cpu.usage.total
}

fn frozen_processes_stand_still() {
    let group = Group::new("freeze");
    let mut process = Process::start(&group, &["spin"]);
    process.go();
    eventually("it runs", || time(&group) > 20_000_000);
    group.freeze().expect("frozen");
    assert!(group.frozen().expect("read"));
    let before = time(&group);
    sleep(Duration::from_millis(100));
    // The tick in which it was stopped may still be booked.
    assert!(time(&group) - before < 20_000_000, "it ran on");
    group.freeze().expect("freezing twice is harmless");
    group.thaw().expect("thawed");
    assert!(!group.frozen().expect("read"));
    let before = time(&group);
    eventually("it runs again", || time(&group) > before + 20_000_000);
}

fn a_frozen_parent_is_not_oneself() {
    let parent = Group::new("icy");
    let child = Cgroup::create(&path("icy/child"), Driver::Cgroupfs).expect("made");
    parent.freeze().expect("frozen");
    assert!(parent.frozen().expect("read") && !child.frozen().expect("read"));
    parent.thaw().expect("thawed");
}

fn freezing_what_multiplies() {
    let group = Group::with("multiply", json!({"pids": {"limit": 100}}));
    let mut process = Process::start(&group, &["multiply"]);
    process.go();
    assert_eq!(process.line(), "multiplying");
    group.freeze().expect("frozen");
    let pids = group.pids().expect("read");
    sleep(Duration::from_millis(50));
    assert_eq!(group.pids().expect("read"), pids);
    assert!(!pids.is_empty());
    group.kill().expect("killed");
}

fn killing_what_multiplies() {
    let group = Group::with("kill", json!({"pids": {"limit": 100}}));
    let mut process = Process::start(&group, &["multiply"]);
    process.go();
    assert_eq!(process.line(), "multiplying");
    group.kill().expect("killed");
    eventually("all are dead", || group.is_empty().expect("read"));
    sleep(Duration::from_millis(50));
    assert!(group.is_empty().expect("read"), "and stay dead");
    group.remove().expect("removed");
}

fn killing_what_is_frozen() {
    let group = Group::new("cold");
    let mut process = Process::start(&group, &["wait"]);
    group.freeze().expect("frozen");
    group.kill().expect("killed");
    process.wait();
    eventually("it is dead", || group.is_empty().expect("read"));
}

/// A container with cgroups of its own may freeze them, and give them names that are no text.
fn killing_what_is_frozen_below() {
    let group = Group::new("above");
    let inner = Cgroup::create(&path("above/inner"), Driver::Cgroupfs).expect("made");
    let mut process = Process::start(&inner, &["wait"]);
    inner.freeze().expect("frozen");
    let strange = OsString::from_vec(b"\xff\xfe".to_vec());
    for top in group.paths().values() {
        let mut path = top.clone();
        for _ in 0..50 {
            path.push(&strange);
            std::fs::create_dir(&path).expect("made by hand");
        }
    }
    group.destroy().expect("destroyed");
    process.wait();
    assert!(group.paths().values().all(|path| !path.exists()));
}

/// A container may nest its groups deeper than a path, or our descriptors, would reach, and freeze itself there.
fn killing_what_is_frozen_far_below() {
    let group = Group::new("deep");
    let mut process = Process::start(&group, &["wait"]);
    let name = "d".repeat(250);
    for (hierarchy, top) in group.paths() {
        if !(hierarchy == "freezer" || hierarchy == "pids" || group.paths().len() == 1) {
            continue;
        }
        let mut here = std::fs::File::open(&top).expect("opened");
        for _ in 0..60 {
            rustix::fs::mkdirat(&here, &name, Mode::RWXU).expect("made by hand");
            here = openat(&here, &name, OFlags::RDONLY, Mode::empty())
                .expect("opened")
                .into();
        }
        let write = |file: &str, text: &str| {
            let file = openat(&here, file, OFlags::WRONLY, Mode::empty()).expect("opened");
            rustix::io::write(file, text.as_bytes()).expect("written");
        };
        write("cgroup.procs", &process.pid().to_string());
        match hierarchy.as_str() {
            "freezer" => write("freezer.state", "FROZEN"),
            "" => write("cgroup.freeze", "1"),
            _ => {}
        }
    }
    assert_eq!(group.pids().expect("read"), [process.pid()]);
    group.destroy().expect("destroyed");
    process.wait();
    assert!(group.paths().values().all(|path| !path.exists()));
}

fn killing_what_is_in_one_hierarchy_only() {
    let (group, other) = (Group::new("part"), Group::new("rest"));
    let mut process = Process::start(&group, &["wait"]);
    for (name, path) in other.paths() {
        // Leaves it in one hierarchy of version 1, where there is one.
        if name != "memory" && !(name.is_empty() && other.paths().len() == 1) {
            std::fs::write(path.join("cgroup.procs"), process.pid().to_string())
                .expect("moved by hand");
        }
    }
    assert_eq!(group.pids().expect("read"), [process.pid()]);
    group.kill().expect("killed");
    process.wait();
}
