//! Making, entering, finding again and removing a group.

use std::fs;

use pyctr_cgroup::{Cgroup, Driver, Error, Info, Version, unified_fd_of};

use crate::{
    process::Process,
    support::{Group, eventually, path, v2},
};

pub const TESTS: &[crate::Test] = &[
    (
        "made_in_every_hierarchy_and_removed",
        made_in_every_hierarchy_and_removed,
    ),
    ("enter", enter),
    ("born_inside", born_inside),
    ("join_from_outside", join_from_outside),
    ("found_again", found_again),
    ("in_use", in_use),
    ("groups_below", groups_below),
    ("destroy", destroy),
    ("systemd_names", systemd_names),
    ("processor_sets_are_inherited", processor_sets_are_inherited),
    ("info", info),
];

fn made_in_every_hierarchy_and_removed() {
    let group = Cgroup::create(&path("made"), Driver::Cgroupfs).expect("made");
    let lines = fs::read_to_string("/proc/self/cgroup").expect("proc");
    let mounted = group.paths();
    assert!(
        mounted
            .values()
            .all(|path| path.is_dir() && path.ends_with(&group.path()[1..])),
        "{mounted:?}"
    );
    assert!(mounted.len() <= lines.lines().count() && !mounted.is_empty());
    group.remove().expect("removed");
    assert!(mounted.values().all(|path| !path.exists()));
    group.remove().expect("removing twice is harmless");
    group.kill().expect("and so is killing what is gone");
    let error = Cgroup::open(&path("made"), Driver::Cgroupfs).expect_err("it is gone");
    assert!(
        error.is_not_found()
            && error
                .to_string()
                .starts_with("no such cgroup: /pyctr-test-")
    );
}

fn enter() {
    let group = Group::new("enter");
    assert!(group.is_empty().expect("read"));
    let process = Process::start(&group, &["wait"]);
    assert_eq!(group.pids().expect("read"), [process.pid()]);
    let own = fs::read_to_string(format!("/proc/{}/cgroup", process.pid())).expect("proc");
    for name in group.paths().keys() {
        let line = own
            .lines()
            .find(|line| line.split(':').nth(1) == Some(name))
            .expect("the hierarchy is there");
        assert!(line.ends_with(group.path()), "{line}");
    }
}

fn born_inside() {
    let group = Group::new("born");
    let answer = Process::start(&group, &["born"]).answer();
    let inside = answer
        .split_whitespace()
        .filter(|line| line.ends_with(group.path()))
        .count();
    assert_eq!(inside, group.paths().len(), "{answer}");
}

fn join_from_outside() {
    let (first, second) = (Group::new("first"), Group::new("second"));
    let process = Process::start(&first, &["wait"]);
    second.join(process.pid()).expect("moved");
    assert!(first.is_empty().expect("read"));
    assert_eq!(second.pids().expect("read"), [process.pid()]);
    if second.unified_fd().is_some() {
        unified_fd_of(process.pid()).expect("its version 2 group can be opened");
    }
}

fn found_again() {
    let group = Group::new("found");
    let again = Cgroup::open_document(group.path()).expect("found");
    assert_eq!(again.paths(), group.paths());
    let again = Cgroup::from_paths(group.path(), &group.paths()).expect("found");
    assert_eq!(again.paths(), group.paths());
}

fn in_use() {
    let group = Group::new("used");
    Cgroup::create(group.path(), Driver::Cgroupfs).expect("an empty group is taken over");
    let _process = Process::start(&group, &["wait"]);
    let error = Cgroup::create(group.path(), Driver::Cgroupfs).expect_err("it is in use");
    assert!(matches!(error, Error::Populated { .. }), "{error}");
    let error = group.remove().expect_err("it is in use");
    assert!(
        error.to_string().contains("device or resource busy"),
        "{error}"
    );
}

fn groups_below() {
    let group = Group::new("above");
    let inner = Cgroup::create(&path("above/inner/deep"), Driver::Cgroupfs).expect("made");
    let mut process = Process::start(&inner, &["wait"]);
    assert_eq!(group.pids().expect("read"), [process.pid()]);
    group.kill().expect("killed");
    process.wait();
    eventually("the group is empty", || group.is_empty().expect("read"));
    group.remove().expect("removed with all below");
    assert!(group.paths().values().all(|path| !path.exists()));
}

fn destroy() {
    let group = Group::new("doomed");
    let inner = Cgroup::create(&path("doomed/inner"), Driver::Cgroupfs).expect("made");
    let mut process = Process::start(&inner, &["wait"]);
    group.destroy().expect("destroyed with all below");
    process.wait();
    assert!(group.paths().values().all(|path| !path.exists()));
    group.destroy().expect("twice is harmless");
}

fn systemd_names() {
    let slice = format!("pyctrtest{}-inner.slice", std::process::id());
    let group = Cgroup::create(&format!("{slice}:pyctr:x"), Driver::Systemd).expect("made");
    let path = group.paths().into_values().next().expect("a hierarchy");
    assert!(path.ends_with(format!("{slice}/pyctr-x.scope")), "{path:?}");
    Cgroup::open_document(&format!("{slice}:pyctr:x")).expect("found");
    group.remove().expect("removed");
    let top = slice.replace("-inner", "");
    Cgroup::open(&format!("/{top}"), Driver::Cgroupfs)
        .and_then(|top| top.remove())
        .expect("removed");
}

fn processor_sets_are_inherited() {
    if !Info::read().expect("read").controllers.contains("cpuset") || v2() {
        return;
    }
    let group = Group::new("sets");
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let above = fs::read_to_string(group.dir("cpuset").join("../..").join(file)).expect("read");
        assert_eq!(group.read("cpuset", file), above.trim());
    }
}

fn info() {
    let info = Info::read().expect("read");
    let types = fs::read_to_string("/proc/self/mountinfo").expect("proc");
    let has = |kind: &str| {
        types
            .lines()
            .any(|line| line.contains(&format!(" - {kind} ")))
    };
    let expected = match (has("cgroup"), has("cgroup2")) {
        (true, true) => Version::Hybrid,
        (true, false) => Version::V1,
        _ => Version::V2,
    };
    assert_eq!(info.version, expected);
    assert!(
        info.controllers.contains("memory") && info.controllers.contains("freezer"),
        "{info:?}"
    );
}
