//! Limits hold, can be read in the files, and can be changed.

use serde_json::json;

use crate::{
    process::Process,
    support::{Group, either, eventually, parse, v2},
};

pub const TESTS: &[crate::Test] = &[
    ("limits_are_in_the_files", limits_are_in_the_files),
    ("memory_up_and_down", memory_up_and_down),
    ("memory_below_usage", memory_below_usage),
    ("tasks_are_limited", tasks_are_limited),
    (
        "quota_and_period_in_any_order",
        quota_and_period_in_any_order,
    ),
    ("idle_and_back", idle_and_back),
    ("refused_values_are_named", refused_values_are_named),
    ("unified_files", unified_files),
];

const MIB: i64 = 1 << 20;

fn limits_are_in_the_files() {
    let group = Group::with(
        "files",
        json!({
            "memory": {"limit": 100 * MIB, "reservation": 50 * MIB},
            "cpu": {"shares": 512, "quota": 50000, "period": 100_000, "cpus": "0", "mems": "0"},
            "pids": {"limit": 50},
        }),
    );
    let expected = if v2() {
        [
            ("memory", "memory.max", "104857600"),
            ("memory", "memory.low", "52428800"),
            ("cpu", "cpu.weight", "59"),
            ("cpu", "cpu.max", "50000 100000"),
            ("cpuset", "cpuset.cpus", "0"),
            ("pids", "pids.max", "50"),
        ]
    } else {
        [
            ("memory", "memory.limit_in_bytes", "104857600"),
            ("memory", "memory.soft_limit_in_bytes", "52428800"),
            ("cpu", "cpu.shares", "512"),
            ("cpu", "cpu.cfs_quota_us", "50000"),
            ("cpuset", "cpuset.cpus", "0"),
            ("pids", "pids.max", "50"),
        ]
    };
    for (controller, file, value) in expected {
        assert_eq!(group.read(controller, file), value, "{file}");
    }
    group
        .change(json!({"pids": {"limit": -1}}))
        .expect("lifted");
    assert_eq!(group.read("pids", "pids.max"), "max");
    assert_eq!(
        group.read("memory", either("memory.limit_in_bytes", "memory.max")),
        "104857600",
        "left alone"
    );
}

fn memory_up_and_down() {
    let group = Group::new("updown");
    for [limit, swap] in [
        [100, 200],
        [300, 400],
        [50, 60],
        [60, 60],
        [500, -1],
        [20, 30],
        [-1, -1],
        [10, 10],
    ] {
        let bytes = |mebibytes: i64| if mebibytes < 0 { -1 } else { mebibytes * MIB };
        group
            .change(json!({"memory": {"limit": bytes(limit), "swap": bytes(swap)}}))
            .expect("changed");
        let stats = group.stats().expect("read").memory;
        if limit > 0 {
            assert_eq!(stats.usage.limit, bytes(limit).unsigned_abs());
        } else {
            assert!(stats.usage.limit > 1 << 60);
        }
    }
}

fn memory_below_usage() {
    let group = Group::new("below");
    let mut process = Process::start(&group, &["eat", "40"]);
    process.go();
    assert_eq!(process.line(), "full");
    let mut wish = json!({"memory": {"limit": 8 * MIB, "checkBeforeUpdate": true}});
    if !v2() {
        // Here the kernel tries to reclaim and gives up; swap would help it out.
        wish["memory"]["swap"] = (8 * MIB).into();
    }
    let error = group.change(wish).expect_err("it is in use").to_string();
    assert!(error.contains("current usage"), "{error}");
    assert!(!process.ended());
}

fn tasks_are_limited() {
    let group = Group::with("many", json!({"pids": {"limit": 5}}));
    assert_eq!(Process::start(&group, &["fork", "20"]).answer(), "4");
    // A task counts until the kernel has done away with it, which is later than its end.
    eventually("all are gone", || {
        group.stats().expect("read").pids.current == 0
    });
    group
        .change(json!({"pids": {"limit": 9}}))
        .expect("changed");
    assert_eq!(Process::start(&group, &["fork", "20"]).answer(), "8");
}

fn quota_and_period_in_any_order() {
    let group = Group::new("quota");
    let shown = || {
        if v2() {
            return group.read("cpu", "cpu.max");
        }
        format!(
            "{} {}",
            group.read("cpu", "cpu.cfs_quota_us"),
            group.read("cpu", "cpu.cfs_period_us")
        )
    };
    group
        .change(json!({"cpu": {"quota": 50000, "period": 100_000, "burst": 20000}}))
        .expect("set");
    group
        .change(json!({"cpu": {"burst": 0, "quota": 2000, "period": 1_000_000}}))
        .expect("smaller");
    assert_eq!(shown(), "2000 1000000");
    group
        .change(json!({"cpu": {"quota": 900_000, "burst": 800_000}}))
        .expect("greater");
    assert_eq!(shown(), "900000 1000000");
    group
        .change(json!({"cpu": {"burst": 0, "quota": -1}}))
        .expect("lifted");
    assert_eq!(shown(), format!("{} 1000000", either("-1", "max")));
}

fn idle_and_back() {
    let group = Group::new("idle");
    group
        .change(json!({"cpu": {"shares": 300, "idle": 1}}))
        .expect("put to sleep");
    assert_eq!(group.read("cpu", "cpu.idle"), "1");
    group
        .change(json!({"cpu": {"shares": 600, "idle": 0}}))
        .expect("woken up");
    assert_eq!(
        group.read("cpu", either("cpu.shares", "cpu.weight")),
        either("600", "66")
    );
}

fn refused_values_are_named() {
    let group = Group::new("refused");
    let message = |resources| {
        group
            .change(resources)
            .expect_err("it is refused")
            .to_string()
    };
    let cpus = message(json!({"cpu": {"cpus": "4000"}}));
    assert!(
        cpus.starts_with("cannot set cpuset.cpus to \"4000\": ") && cpus.contains(" (available: 0"),
        "{cpus}"
    );
    let quota = message(json!({"cpu": {"quota": 10, "period": 100_000}}));
    let file = either("cpu.cfs_quota_us to \"10\"", "cpu.max to \"10 100000\"");
    assert_eq!(quota, format!("cannot set {file}: invalid argument"));
    let pids = message(json!({"pids": {"limit": 1_i64 << 40}}));
    assert_eq!(
        pids,
        "cannot set pids.max to \"1099511627776\": invalid argument"
    );
    let device = message(
        json!({"blockIO": {"throttleReadBpsDevice": [{"major": 999, "minor": 1, "rate": 1024}]}}),
    );
    assert!(device.contains("999:1"), "{device}");
    if !v2() {
        let swap = message(json!({"memory": {"limit": 20 * MIB, "swap": 10 * MIB}}));
        assert!(swap.contains("memory+swap"), "{swap}");
    }
}

fn unified_files() {
    let group = Group::new("unified");
    let wish = json!({"unified": {"cgroup.max.descendants": "7"}});
    if group.unified_fd().is_none() {
        let error = group
            .change(wish)
            .expect_err("there is no version 2")
            .to_string();
        assert_eq!(error, "cannot set unified: cgroup v1 has no such limit");
        return;
    }
    group.apply(&parse(wish)).expect("set");
    assert_eq!(group.read("", "cgroup.max.descendants"), "7");
    if v2() {
        group
            .change(json!({"unified": {"memory.high": "1048576"}}))
            .expect("set");
        assert_eq!(group.read("", "memory.high"), "1048576");
    }
}
