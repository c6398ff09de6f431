//! Running out of memory is seen and counted.

use std::os::unix::process::ExitStatusExt;

use pyctr_cgroup::{Cgroup, Driver, OomEvent};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use crate::{
    process::Process,
    support::{Group, path},
};

pub const TESTS: &[crate::Test] = &[
    ("a_victim_is_counted", a_victim_is_counted),
    ("a_victim_below_is_counted", a_victim_below_is_counted),
    ("an_event_comes", an_event_comes),
    (
        "who_dies_otherwise_is_not_counted",
        who_dies_otherwise_is_not_counted,
    ),
];

fn small(name: &str) -> Group {
    let group = Group::new(name);
    group
        .change(json!({"memory": {"limit": 20 << 20}}))
        .expect("limited");
    group
}

fn starve(group: &Cgroup) {
    let mut process = Process::start(group, &["eat", "60"]);
    process.go();
    assert_eq!(process.wait().signal(), Some(9));
}

fn a_victim_is_counted() {
    let group = small("oom");
    assert_eq!(group.oom_kills().expect("read"), 0);
    starve(&group);
    assert_eq!(group.oom_kills().expect("read"), 1);
    starve(&group);
    assert_eq!(group.oom_kills().expect("read"), 2);
}

fn a_victim_below_is_counted() {
    let group = small("nested");
    let inner = Cgroup::create(&path("nested/inner"), Driver::Cgroupfs).expect("made");
    starve(&inner);
    assert_eq!(group.oom_kills().expect("read"), 1);
    let sibling = small("sibling");
    assert_eq!(sibling.oom_kills().expect("read"), 0);
}

fn an_event_comes() {
    let group = small("event");
    let mut events = group.oom_events().expect("there is a source");
    assert_eq!(events.read().expect("read"), OomEvent::None);
    let keeper = Process::start(&group, &["wait"]);
    starve(&group);
    loop {
        let limit = Timespec {
            tv_sec: 20,
            tv_nsec: 0,
        };
        let ready = poll(&mut [PollFd::new(&events, PollFlags::IN)], Some(&limit)).expect("polled");
        assert_eq!(ready, 1, "no event came");
        match events.read().expect("read") {
            OomEvent::Oom { .. } => break,
            other => assert_eq!(other, OomEvent::None),
        }
    }
    assert_eq!(group.oom_kills().expect("read"), 1);
    drop(keeper);
    group.remove().expect("removed");
    loop {
        let limit = Timespec {
            tv_sec: 20,
            tv_nsec: 0,
        };
        let ready = poll(&mut [PollFd::new(&events, PollFlags::IN)], Some(&limit)).expect("polled");
        assert_eq!(ready, 1, "nobody told of the end");
        if events.read().expect("read") == OomEvent::Gone {
            break;
        }
    }
}

fn who_dies_otherwise_is_not_counted() {
    let group = small("other");
    let mut process = Process::start(&group, &["wait"]);
    group.kill().expect("killed");
    assert_eq!(process.wait().signal(), Some(9));
    assert_eq!(group.oom_kills().expect("read"), 0);
}
