//! Bind mounts and propagation.

use std::{fs, os::unix::fs::symlink, path::Path};

use rustix::mount::{MountPropagationFlags, mount_change};
use serde_json::json;

use crate::harness::{Bundle, Case, entry, tmpfs, writable};

pub const CASES: &[Case] = &[
    ("directories and files are bound, places made", places),
    ("a place is made where a dangling link leads", dangling_link),
    ("read-only binds, alone and recursive", read_only),
    ("restrictions of the source stay", restrictions_stay),
    ("a missing source is named", missing_source),
    ("a part of a source is looked up inside of it", subdir),
    ("files cannot cover directories", mismatch),
    ("mounts come in the listed order", order),
    ("peers, slaves and privates", peers),
    ("the root's own propagation", root_propagation),
];

fn places() {
    let mut bundle = Bundle::like_docker();
    fs::create_dir(bundle.path("host/dir")).unwrap();
    fs::write(bundle.path("host/dir/a"), "a").unwrap();
    fs::write(bundle.path("host/file"), "f").unwrap();
    let host = bundle.path("host");
    bundle.mount(
        "/new/dir",
        "bind",
        host.join("dir").to_str().unwrap(),
        &["rbind", "rprivate"],
    );
    bundle.mount(
        "/new/deep/file",
        "none",
        host.join("file").to_str().unwrap(),
        &["bind"],
    );
    bundle.mount("relative", "bind", "host/file", &["bind"]);
    bundle.run(|| {
        assert_eq!(fs::read_to_string("/new/dir/a").unwrap(), "a");
        assert_eq!(fs::read_to_string("/new/deep/file").unwrap(), "f");
        assert_eq!(fs::read_to_string("/relative").unwrap(), "f");
        fs::write("/new/dir/b", "b").unwrap();
    });
    assert_eq!(fs::read_to_string(bundle.path("host/dir/b")).unwrap(), "b");
}

fn dangling_link() {
    let mut bundle = Bundle::new();
    fs::create_dir(bundle.path("rootfs/etc")).unwrap();
    symlink(
        "../run/systemd/resolve/stub-resolv.conf",
        bundle.path("rootfs/etc/resolv.conf"),
    )
    .unwrap();
    symlink("/run", bundle.path("rootfs/srv")).unwrap();
    fs::write(bundle.path("host/resolv.conf"), "nameserver ::1").unwrap();
    bundle.mount("/etc/resolv.conf", "bind", "host/resolv.conf", &["bind"]);
    bundle.mount("/srv/data", "tmpfs", "tmpfs", &[]);
    bundle.run(|| {
        assert_eq!(
            fs::read_to_string("/run/systemd/resolve/stub-resolv.conf").unwrap(),
            "nameserver ::1"
        );
        assert!(writable("/run/data"));
    });
}

fn read_only() {
    let mut bundle = Bundle::like_docker();
    tmpfs(&bundle.path("host/sub"));
    let host = bundle.path("host");
    let host = host.to_str().unwrap();
    bundle.mount("/flat", "bind", host, &["rbind", "ro"]).mount(
        "/deep",
        "bind",
        host,
        &["rbind", "rro"],
    );
    bundle
        .mount("/mixed", "bind", host, &["rbind", "rro", "rw", "rnoexec"])
        .mount("/alone", "bind", host, &["bind", "rro"]);
    bundle.run(|| {
        assert!(!writable("/flat") && writable("/flat/sub"));
        assert!(!writable("/deep") && !writable("/deep/sub"));
        assert!(writable("/mixed") && !writable("/mixed/sub"));
        assert!(entry("/mixed/sub").options.contains("noexec"));
        assert!(!writable("/alone"));
    });
    assert!(writable(bundle.path("host")));
}

fn restrictions_stay() {
    let mut bundle = Bundle::like_docker();
    let source = bundle.path("host/m");
    tmpfs(&source);
    use rustix::mount::{MountFlags, mount_remount};
    mount_remount(
        &source,
        MountFlags::BIND | MountFlags::NODEV | MountFlags::NOSUID | MountFlags::RDONLY,
        "",
    )
    .unwrap();
    let source = source.to_str().unwrap().to_owned();
    bundle
        .mount("/kept", "bind", &source, &["rbind", "noexec"])
        .mount("/asked", "bind", &source, &["rbind", "rw", "noatime"]);
    bundle.run(|| {
        assert_eq!(entry("/kept").options, "ro,nosuid,nodev,noexec,relatime");
        assert_eq!(entry("/asked").options, "rw,nosuid,nodev,noatime");
    });
}

fn missing_source() {
    let mut bundle = Bundle::new();
    bundle.mount("/x", "bind", "/does/not/exist", &["rbind"]);
    assert_eq!(
        bundle.error(),
        "bind source path does not exist: /does/not/exist"
    );
}

fn subdir() {
    let host = |bundle: &Bundle| {
        fs::create_dir_all(bundle.path("host/volume/a/b")).unwrap();
        fs::write(bundle.path("host/volume/a/b/seen"), "inside").unwrap();
        symlink("/a/b", bundle.path("host/volume/absolute")).unwrap();
        symlink(bundle.path("host"), bundle.path("host/volume/out")).unwrap();
        symlink("/proc/self/root", bundle.path("host/volume/magic")).unwrap();
    };
    let mut bundle = Bundle::like_docker();
    host(&bundle);
    for (place, path) in [("/b", "a/b"), ("/c", "absolute"), ("/d", "../../a/b/seen")] {
        let option = format!("X-mount.subdir={path}");
        bundle.mount(place, "bind", "host/volume", &["rbind", &option]);
    }
    bundle.run(|| {
        assert_eq!(fs::read_to_string("/b/seen").unwrap(), "inside");
        assert_eq!(fs::read_to_string("/c/seen").unwrap(), "inside");
        assert_eq!(fs::read_to_string("/d").unwrap(), "inside");
    });
    for path in ["out", "magic", "missing"] {
        let mut bundle = Bundle::new();
        host(&bundle);
        let option = format!("X-mount.subdir={path}");
        let text = bundle
            .mount("/x", "bind", "host/volume", &["rbind", &option])
            .error();
        assert_eq!(
            text,
            format!("bind source path does not exist: host/volume/{path}")
        );
    }
}

fn mismatch() {
    let mut bundle = Bundle::new();
    fs::create_dir(bundle.path("rootfs/dir")).unwrap();
    fs::write(bundle.path("host/file"), "").unwrap();
    let text = bundle.mount("/dir", "bind", "host/file", &["bind"]).error();
    assert_eq!(
        text,
        "cannot mount host/file on /dir: a file cannot cover a directory"
    );
}

fn order() {
    let mut bundle = Bundle::new();
    fs::create_dir_all(bundle.path("host/inner")).unwrap();
    bundle
        .mount("/a/inner", "tmpfs", "tmpfs", &[])
        .mount("/a", "bind", "host", &["bind"]);
    bundle.run(|| {
        fs::write("/a/inner/seen", "").unwrap();
        fs::write("/a/outer", "").unwrap();
    });
    assert!(bundle.path("host/inner/seen").exists() && bundle.path("host/outer").exists());
}

fn peers() {
    let mut bundle = Bundle::like_docker();
    tmpfs(&bundle.path("host"));
    mount_change(bundle.path("host"), MountPropagationFlags::SHARED).unwrap();
    fs::create_dir(bundle.path("host/sub")).unwrap();
    for (name, options) in [
        ("default", &["rbind"][..]),
        ("private", &["rbind", "rprivate"]),
        ("slave", &["rbind", "rslave"]),
        ("shared", &["rbind", "rshared"]),
        ("both", &["rbind", "slave", "shared"]),
    ] {
        bundle.mount(&format!("/{name}"), "bind", "host", options);
    }
    bundle.run(|| {
        let peers = |name: &str| entry(name).peers;
        assert!(peers("/default").starts_with("master:"));
        assert_eq!(peers("/private"), "");
        assert!(peers("/slave").starts_with("master:"));
        assert!(peers("/shared").starts_with("shared:"));
        assert!(peers("/both").contains("shared:") && peers("/both").contains("master:"));
        tmpfs(Path::new("/shared/sub"));
        fs::write("/shared/sub/seen", "").unwrap();
    });
    assert!(
        bundle.path("host/sub/seen").exists(),
        "a mount in the container reaches the host"
    );
}

fn root_propagation() {
    for (asked, expected) in [
        ("shared", "shared:"),
        ("rprivate", ""),
        ("unbindable", "unbindable"),
        ("slave", ""),
    ] {
        let mut bundle = Bundle::like_docker();
        bundle.config["linux"]["rootfsPropagation"] = json!(asked);
        mount_change(
            "/",
            MountPropagationFlags::SHARED | MountPropagationFlags::REC,
        )
        .unwrap();
        bundle.run(|| {
            let peers = entry("/").peers;
            assert!(
                if expected.is_empty() {
                    !peers.contains("shared")
                } else {
                    peers.starts_with(expected)
                },
                "{asked}: {peers}"
            );
            assert_eq!(entry("/proc").kind, "proc");
        });
        assert_eq!(
            entry("/proc").kind,
            "proc",
            "the host keeps its mounts with {asked}"
        );
        assert!(
            !fs::read_to_string("/proc/self/mountinfo")
                .unwrap()
                .contains(bundle.path("rootfs").to_str().unwrap())
        );
    }
}
