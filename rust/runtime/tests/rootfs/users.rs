//! Containers in user namespaces.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, chown},
};

use serde_json::json;

use crate::harness::{Bundle, Case, entry, writable};

pub const CASES: &[Case] = &[
    ("layers and root directory show container ids", mapped_root),
    ("layers of an ordinary user", unprivileged_layers),
    ("docker's mounts work in a user namespace", docker_mounts),
    ("without a network namespace /sys is the host's", host_sysfs),
    (
        "bind sources that only the host can reach",
        unreachable_source,
    ),
    ("binds can be id-mapped", mapped_binds),
    ("a mapping needs a user namespace or ids", no_mapping),
];

fn with_network(mut bundle: Bundle) -> Bundle {
    bundle.config["linux"]["namespaces"]
        .as_array_mut()
        .unwrap()
        .push(json!({"type": "network"}));
    bundle
}

fn mapped_root() {
    let bundle = with_network(Bundle::like_docker().with_users().with_layers(&["a", "b"]));
    fs::write(bundle.path("a/file"), "").unwrap();
    chown(bundle.path("a/file"), Some(1000), Some(1000)).unwrap();
    bundle.run(|| {
        let file = fs::metadata("/file").unwrap();
        assert_eq!((file.uid(), file.gid()), (1000, 1000));
        assert_eq!(fs::metadata("/").unwrap().uid(), 0);
        fs::write("/new", "").unwrap();
        fs::write("/file", "changed").unwrap();
    });
    assert_eq!(fs::metadata(bundle.path("top/upper/new")).unwrap().uid(), 0);
    assert_eq!(
        fs::metadata(bundle.path("top/upper/file")).unwrap().uid(),
        1000
    );

    let mut plain = with_network(Bundle::like_docker().with_users());
    plain.options.idmap_root = true;
    plain.run(|| fs::write("/new", "").unwrap());
    assert_eq!(fs::metadata(plain.path("rootfs/new")).unwrap().uid(), 0);

    let plain = with_network(Bundle::like_docker().with_users());
    for dir in ["proc", "sys", "dev"] {
        fs::create_dir(plain.path("rootfs").join(dir)).unwrap();
    }
    chown(plain.path("rootfs"), Some(100_000), Some(100_000)).unwrap();
    plain.run(|| fs::write("/new", "").unwrap());
    assert_eq!(
        fs::metadata(plain.path("rootfs/new")).unwrap().uid(),
        100_000
    );
}

fn unprivileged_layers() {
    let bundle = with_network(Bundle::like_docker().with_users().with_layers(&["a", "b"]));
    fs::create_dir(bundle.path("b/dir")).unwrap();
    fs::write(bundle.path("b/dir/file"), "").unwrap();
    for path in [
        "",
        "rootfs",
        "a",
        "b",
        "b/dir",
        "b/dir/file",
        "top/upper",
        "top/work",
    ] {
        chown(bundle.path(path), Some(100_000), Some(100_000)).unwrap();
    }
    bundle.run_inside(|| {
        fs::write("/new", "").unwrap();
        fs::remove_dir_all("/dir").unwrap();
        fs::create_dir("/dir").unwrap();
        assert_eq!(fs::read_dir("/dir").unwrap().count(), 0);
        assert_eq!(fs::metadata("/new").unwrap().uid(), 0);
    });
    let made = fs::metadata(bundle.path("top/upper/new")).unwrap();
    assert_eq!(made.uid(), 100_000);
}

fn docker_mounts() {
    let mut bundle = with_network(Bundle::like_docker().with_users().with_layers(&["a", "b"]));
    bundle.config["linux"]["devices"] =
        json!([{"type": "c", "path": "/dev/other", "major": 1, "minor": 5}]);
    bundle.run(|| {
        assert_eq!(entry("/sys").kind, "sysfs");
        assert_eq!(entry("/dev/pts").kind, "devpts");
        assert_eq!(fs::metadata("/dev").unwrap().uid(), 0);
        for path in ["/dev/null", "/dev/other", "/dev/tty"] {
            assert!(
                fs::metadata(path).unwrap().file_type().is_char_device(),
                "{path}"
            );
        }
        File::options()
            .write(true)
            .open("/dev/null")
            .unwrap()
            .write_all(b"x")
            .unwrap();
        assert_eq!(
            fs::metadata("/dev/other").unwrap().rdev(),
            rustix::fs::makedev(1, 5)
        );
        assert_eq!(fs::read("/proc/interrupts").unwrap(), b"");
        assert!(writable("/dev/shm") && writable("/"));
    });
}

fn host_sysfs() {
    let bundle = Bundle::like_docker().with_users().with_layers(&["a", "b"]);
    bundle.run(|| {
        assert!(entry("/sys").options.starts_with("ro"));
        assert!(fs::metadata("/sys/kernel").unwrap().is_dir());
    });
}

fn unreachable_source() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut bundle = with_network(Bundle::like_docker().with_users().with_layers(&["a", "b"]));
    fs::create_dir(bundle.path("host/data")).unwrap();
    fs::set_permissions(bundle.path("host"), fs::Permissions::from_mode(0o700)).unwrap();
    bundle.mount("/data", "bind", "host/data", &["rbind", "ro", "rprivate"]);
    bundle.run(|| assert!(entry("/data").options.starts_with("ro")));
}

fn mapped_binds() {
    let mut bundle = Bundle::like_docker();
    let map = json!([{"containerID": 0, "hostID": 5000, "size": 10}]);
    bundle.mount("/mapped", "bind", "host", &["bind", "idmap"]);
    bundle.config["mounts"]
        .as_array_mut()
        .unwrap()
        .last_mut()
        .unwrap()["uidMappings"] = map.clone();
    bundle.config["mounts"]
        .as_array_mut()
        .unwrap()
        .last_mut()
        .unwrap()["gidMappings"] = map;
    bundle.run(|| assert_eq!(fs::metadata("/mapped").unwrap().uid(), 5000));

    let mut bundle = with_network(Bundle::like_docker().with_users().with_layers(&["a", "b"]));
    bundle
        .mount("/mapped", "bind", "host", &["rbind", "ridmap"])
        .mount("/plain", "bind", "host", &["rbind"]);
    bundle.run(|| {
        assert_eq!(fs::metadata("/mapped").unwrap().uid(), 0);
        assert_eq!(fs::metadata("/plain").unwrap().uid(), 65534);
        fs::write("/mapped/made", "").unwrap();
    });
    assert_eq!(fs::metadata(bundle.path("host/made")).unwrap().uid(), 0);
}

fn no_mapping() {
    let mut bundle = Bundle::new();
    let text = bundle
        .mount("/x", "bind", "host", &["bind", "idmap"])
        .error();
    let why = "there is no mapping, and the container has no user namespace";
    assert_eq!(
        text,
        format!("cannot map the ids of the mount on /x: {why}")
    );
}
