//! Which files are written, in which order, on a directory of ordinary files.

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    Cgroup, Resources, Result,
    layout::{Hierarchy, Layout},
    path::{Driver, Location},
};

/// A group of ordinary files: `files` by hierarchy, each with a content.
struct Fake {
    _root: tempfile::TempDir,
    group: Cgroup,
    paths: BTreeMap<String, std::path::PathBuf>,
}

impl Fake {
    fn new(hierarchies: &[(&str, &[(&str, &str)])]) -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let mut found = Vec::new();
        for (name, files) in hierarchies {
            let mount = root
                .path()
                .join(if name.is_empty() { "unified" } else { name });
            fs::create_dir_all(mount.join("x")).expect("made");
            for (file, content) in *files {
                fs::write(mount.join("x").join(file), content).expect("written");
            }
            let own = Path::new("").to_owned();
            found.push(Hierarchy {
                name: (*name).to_owned(),
                mount,
                own,
                local_events: false,
            });
        }
        let location = Location::parse("/x", Driver::Cgroupfs).expect("a path");
        let group =
            Cgroup::open_in(&Layout { hierarchies: found }, "/x", &location).expect("it is there");
        Self {
            _root: root,
            paths: group.paths(),
            group,
        }
    }

    fn v2(files: &[(&str, &str)]) -> Self {
        let all = [(
            "cgroup.controllers",
            "cpuset cpu io memory hugetlb pids rdma",
        )];
        Self::new(&[("", &[&all, files].concat())])
    }

    fn update(&self, resources: serde_json::Value) -> Result<()> {
        let resources: Resources = serde_json::from_value(resources).expect("resources");
        self.group.update(&resources)
    }

    fn error(&self, resources: serde_json::Value) -> String {
        self.update(resources)
            .expect_err("it is refused")
            .to_string()
    }

    fn read(&self, hierarchy: &str, file: &str) -> String {
        fs::read_to_string(self.paths[hierarchy].join(file)).expect("the file is there")
    }
}

#[test]
fn swap_of_version_2_is_without_memory() {
    let cases = [
        (serde_json::json!({"limit": 100, "swap": 250}), "150", "100"),
        (serde_json::json!({"limit": 100, "swap": 100}), "0", "100"),
        (serde_json::json!({"limit": 100, "swap": -1}), "max", "100"),
        (serde_json::json!({"limit": 100}), "", "100"),
        (serde_json::json!({"limit": -1}), "max", "max"),
        (serde_json::json!({"limit": -1, "swap": 70}), "70", "max"),
    ];
    for (memory, swap, limit) in cases {
        let fake = Fake::v2(&[("memory.max", ""), ("memory.swap.max", "")]);
        fake.update(serde_json::json!({ "memory": memory }))
            .expect("set");
        assert_eq!(
            (
                fake.read("", "memory.swap.max"),
                fake.read("", "memory.max")
            ),
            (swap.into(), limit.into())
        );
    }
}

#[test]
fn swap_alone_counts_from_the_limit_that_is_set() {
    let fake = Fake::v2(&[("memory.max", "100\n"), ("memory.swap.max", "")]);
    fake.update(serde_json::json!({"memory": {"swap": 130}}))
        .expect("set");
    assert_eq!(fake.read("", "memory.swap.max"), "30");
    let error = fake.error(serde_json::json!({"memory": {"swap": 99}}));
    assert_eq!(
        error,
        "memory.swap: 99 is below the memory limit of 100, which it includes"
    );
}

#[test]
fn a_kernel_without_swap_takes_what_asks_for_none() {
    let fake = Fake::v2(&[("memory.max", "")]);
    fake.update(serde_json::json!({"memory": {"limit": 100, "swap": -1}}))
        .expect("nothing to allow");
    fake.update(serde_json::json!({"memory": {"limit": 100, "swap": 100}}))
        .expect("nothing to forbid");
    let error = fake.error(serde_json::json!({"memory": {"limit": 100, "swap": 200}}));
    assert_eq!(
        error,
        "cannot set memory.swap: the memory swap cgroup controller is not available"
    );
}

#[test]
fn a_limit_below_usage_is_refused_only_when_that_is_asked_for() {
    let fake = Fake::v2(&[("memory.max", ""), ("memory.current", "5000\n")]);
    let error =
        fake.error(serde_json::json!({"memory": {"limit": 4096, "checkBeforeUpdate": true}}));
    assert_eq!(
        error,
        "memory.limit: 4096 is below the current usage of 5000"
    );
    assert_eq!(fake.read("", "memory.max"), "");
    fake.update(serde_json::json!({"memory": {"limit": 4096}}))
        .expect("set");
}

#[test]
fn one_half_of_cpu_max_keeps_the_other() {
    let fake = Fake::v2(&[
        ("cpu.max", "20000 50000\n"),
        ("cpu.weight", ""),
        ("cpu.max.burst", ""),
    ]);
    fake.update(serde_json::json!({"cpu": {"quota": 30000, "shares": 1024, "burst": 7}}))
        .expect("set");
    assert_eq!(fake.read("", "cpu.max").trim(), "30000 50000");
    assert_eq!(
        (fake.read("", "cpu.weight"), fake.read("", "cpu.max.burst")),
        ("100".into(), "7".into())
    );

    let fake = Fake::v2(&[("cpu.max", "")]);
    fake.update(serde_json::json!({"cpu": {"quota": -1}}))
        .expect("set");
    assert_eq!(fake.read("", "cpu.max"), "max 100000");
}

#[test]
fn devices_and_weights_of_version_2() {
    let io = serde_json::json!({"weight": 500, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 600}]});
    let fake = Fake::v2(&[("io.weight", ""), ("io.max", "")]);
    fake.update(serde_json::json!({ "blockIO": io }))
        .expect("set");
    assert_eq!(
        (fake.read("", "io.weight"), fake.read("", "io.max")),
        ("4950".into(), "8:0 rbps=600".into())
    );
    let fake = Fake::v2(&[("io.bfq.weight", ""), ("io.max", "")]);
    fake.update(serde_json::json!({ "blockIO": io }))
        .expect("set");
    assert_eq!(fake.read("", "io.bfq.weight"), "500");
    let error = Fake::v2(&[]).error(serde_json::json!({"blockIO": {"weight": 5}}));
    assert_eq!(error, "blockIO.weight: 5 is not between 10 and 1000");
}

#[test]
fn small_controllers_of_version_2() {
    let files = [
        "pids.max",
        "hugetlb.2MB.max",
        "hugetlb.2MB.rsvd.max",
        "rdma.max",
        "memory.high",
        "cpuset.cpus",
    ];
    let fake = Fake::v2(&files.map(|file| (file, "")));
    fake.update(serde_json::json!({
        "pids": {"limit": 0}, "hugepageLimits": [{"pageSize": "2MB", "limit": 4}], "cpu": {"cpus": "0-1"},
        "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10}}, "unified": {"memory.high": "1M"},
    }))
    .expect("set");
    let found = files.map(|file| fake.read("", file));
    assert_eq!(
        found,
        [
            "1",
            "4",
            "4",
            "mlx5_1 hca_handle=3 hca_object=10",
            "1M",
            "0-1"
        ]
    );
}

#[test]
fn what_version_2_does_not_have_is_said() {
    let fake = Fake::v2(&[]);
    let cases = [
        (
            serde_json::json!({"memory": {"swappiness": 5}}),
            "cannot set memory.swappiness: cgroup v2 has no such limit",
        ),
        (
            serde_json::json!({"network": {"classID": 5}}),
            "cannot set network.classID: cgroup v2 has no such limit",
        ),
        (
            serde_json::json!({"unified": {"zswap.max": "1"}}),
            "cannot set unified zswap.max: the zswap cgroup controller is not available",
        ),
        (
            serde_json::json!({"unified": {"../x.y": "1"}}),
            "unified: \"../x.y\" is no file name such as memory.high",
        ),
        (
            serde_json::json!({"hugepageLimits": [{"pageSize": "../2MB", "limit": 4}]}),
            "hugepageLimits.pageSize: \"../2MB\" is no page size such as 2MB",
        ),
    ];
    for (resources, message) in cases {
        assert_eq!(fake.error(resources), message);
    }
    fake.update(
        serde_json::json!({"network": {"classID": 0}, "memory": {"disableOOMKiller": false}}),
    )
    .expect("nothing asked");
}

#[test]
fn a_missing_controller_is_named() {
    let fake = Fake::new(&[
        ("cpu,cpuacct", &[]),
        ("", &[("cgroup.controllers", "pids")]),
    ]);
    let missing = |resources, controller: &str| {
        let message = fake.error(resources);
        assert!(
            message.ends_with(&format!(
                "the {controller} cgroup controller is not available"
            )),
            "{message}"
        );
    };
    missing(serde_json::json!({"memory": {"limit": 1}}), "memory");
    missing(serde_json::json!({"cpu": {"cpus": "0"}}), "cpuset");
    missing(serde_json::json!({"blockIO": {"weight": 10}}), "blkio");
    missing(serde_json::json!({"network": {"classID": 1}}), "net_cls");
    missing(serde_json::json!({"devices": [{"allow": true}]}), "devices");
}

#[test]
fn a_controller_is_used_where_it_is_mounted() {
    let cpu: &[(&str, &str)] = &[("cpu.shares", "")];
    let fake = Fake::new(&[
        ("cpu,cpuacct", cpu),
        ("", &[("cgroup.controllers", "pids"), ("pids.max", "")]),
    ]);
    fake.update(serde_json::json!({"cpu": {"shares": 512}, "pids": {"limit": 7}}))
        .expect("set");
    assert_eq!(
        (
            fake.read("cpu,cpuacct", "cpu.shares"),
            fake.read("", "pids.max")
        ),
        ("512".into(), "7".into())
    );
    let error = fake.error(serde_json::json!({"cpu": {"shares": 1}}));
    assert_eq!(error, "cpu.shares: 1 is not between 2 and 262144");
}

#[test]
fn version_1_lifts_swap_with_memory() {
    let fake = Fake::new(&[(
        "memory",
        &[
            ("memory.limit_in_bytes", ""),
            ("memory.memsw.limit_in_bytes", ""),
        ],
    )]);
    fake.update(serde_json::json!({"memory": {"limit": -1}}))
        .expect("set");
    assert_eq!(fake.read("memory", "memory.memsw.limit_in_bytes"), "-1");
}
