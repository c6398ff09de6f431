//! Accounting agrees with what processes do, and with the files.

use serde_json::json;

use crate::{
    process::Process,
    support::{Group, either, eventually, v2},
};

pub const TESTS: &[crate::Test] = &[
    ("memory_is_counted", memory_is_counted),
    ("processor_time_is_counted", processor_time_is_counted),
    ("throttling_is_counted", throttling_is_counted),
    ("tasks_are_counted", tasks_are_counted),
    ("files_written_by_hand_show", files_written_by_hand_show),
    ("the_shape_is_runcs", the_shape_is_runcs),
];

fn memory_is_counted() {
    let group = Group::new("memory");
    let mut process = Process::start(&group, &["eat", "30"]);
    process.go();
    assert_eq!(process.line(), "full");
    let memory = group.stats().expect("read").memory;
    let mebibytes = 30 << 20;
    assert!(
        memory.usage.usage >= mebibytes && memory.usage.max >= memory.usage.usage,
        "{:?}",
        memory.usage
    );
    assert!(memory.raw[either("rss", "anon")] >= mebibytes);
    assert!(memory.raw.contains_key("inactive_file"));
    assert!(
        memory.swap.usage >= mebibytes,
        "it includes memory: {:?}",
        memory.swap
    );
}

fn processor_time_is_counted() {
    let group = Group::new("time");
    let mut process = Process::start(&group, &["spin"]);
    process.go();
    eventually("time passes", || {
        group.stats().expect("read").cpu.usage.total > 200_000_000
    });
    let usage = group.stats().expect("read").cpu.usage;
    assert!(usage.user > usage.kernel, "{usage:?}");
    if !v2() {
        assert!(usage.percpu.iter().sum::<u64>() >= usage.total / 2);
    }
}

fn throttling_is_counted() {
    let group = Group::with("throttle", json!({"cpu": {"quota": 5000, "period": 50000}}));
    let mut process = Process::start(&group, &["spin"]);
    process.go();
    eventually("it is held back", || {
        group
            .stats()
            .expect("read")
            .cpu
            .throttling
            .throttled_periods
            > 2
    });
    let throttling = group.stats().expect("read").cpu.throttling;
    assert!(throttling.throttled_time > 0 && throttling.periods >= throttling.throttled_periods);
}

fn tasks_are_counted() {
    let group = Group::with("count", json!({"pids": {"limit": 33}}));
    assert_eq!(group.stats().expect("read").pids.current, 0);
    let _one = Process::start(&group, &["wait"]);
    let _two = Process::start(&group, &["wait"]);
    let pids = group.stats().expect("read").pids;
    assert_eq!((pids.current, pids.limit), (2, 33));
    group
        .change(json!({"pids": {"limit": -1}}))
        .expect("lifted");
    assert_eq!(group.stats().expect("read").pids.limit, 0);
}

fn files_written_by_hand_show() {
    let group = Group::new("hand");
    group.write(
        "memory",
        either("memory.limit_in_bytes", "memory.max"),
        "104857600",
    );
    group.write("pids", "pids.max", "12");
    let stats = group.stats().expect("read");
    assert_eq!(
        (stats.memory.usage.limit, stats.pids.limit),
        (104_857_600, 12)
    );
}

fn the_shape_is_runcs() {
    let group = Group::new("shape");
    let shown = serde_json::to_value(group.stats().expect("read")).expect("JSON");
    for path in [
        "/cpu/usage/total",
        "/cpu/throttling/throttledPeriods",
        "/cpuset/cpus",
        "/memory/usage/limit",
        "/memory/kernelTCP/failcnt",
        "/memory/raw/inactive_file",
        "/pids/current",
        "/blkio/ioServiceBytesRecursive",
        "/hugetlb",
        "/intel_rdt",
        "/network_interfaces",
    ] {
        assert!(shown.pointer(path).is_some(), "{path} in {shown}");
    }
}
