//! What every container has.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink},
    path::Path,
};

use pyctr_runtime::rootfs::{CgroupMount, open_terminal};
use rustix::fs::{major, minor};
use serde_json::json;

use crate::harness::{Bundle, Case, READONLY, entry, mknod_null, tmpfs, writable};

pub const CASES: &[Case] = &[
    ("docker's mounts are all there", docker_mounts),
    ("devices have their numbers, modes and owners", devices),
    ("paths are masked and read-only", masks),
    (
        "the host's /dev/null masks, not the image's",
        masks_are_verified,
    ),
    ("the root can be read-only", read_only_root),
    ("a plain directory is left as it was", plain_directory),
    ("the machine's own /dev is left alone", hosts_dev),
    ("without pivot_root the root is / as well", no_pivot),
    ("cgroups are bound one by one", cgroups),
    ("a single cgroup fills its mount", one_cgroup),
    ("the terminal is the container's console", console),
    ("tmpcopyup brings the image's files", copy_up),
    ("a mount can be changed afterwards", remount),
    ("errors name what is wrong", errors),
];

fn docker_mounts() {
    let bundle = Bundle::like_docker().with_layers(&["a", "b"]);
    fs::write(bundle.path("b/hello"), "from b").unwrap();
    bundle.run(|| {
        assert_eq!(fs::read_to_string("/hello").unwrap(), "from b");
        fs::write("/hello", "changed").unwrap();
        for (path, kind) in [
            ("/", "overlay"),
            ("/proc", "proc"),
            ("/dev", "tmpfs"),
            ("/dev/pts", "devpts"),
            ("/sys", "sysfs"),
            ("/sys/fs/cgroup", "tmpfs"),
            ("/dev/mqueue", "mqueue"),
            ("/dev/shm", "tmpfs"),
        ] {
            assert_eq!(entry(path).kind, kind, "{path}");
        }
        assert_eq!(entry("/proc").options, "rw,nosuid,nodev,noexec,relatime");
        assert_eq!(entry("/sys").options, "ro,nosuid,nodev,noexec,relatime");
        assert_eq!(entry("/dev").options, "rw,nosuid");
        assert!(entry("/dev").superblock.contains("size=65536k"));
        assert!(
            entry("/dev/pts")
                .superblock
                .contains("gid=5,mode=620,ptmxmode=666")
        );
        assert_eq!(fs::metadata("/dev/shm").unwrap().mode() & 0o7777, 0o1777);
        assert_eq!(fs::read_link("/proc/self").unwrap(), Path::new("1"));
        let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(
            !table.contains("ext4 /dev")
                || !table
                    .lines()
                    .any(|line| line.contains(" / / ") && line.contains("ext4")),
            "{table}"
        );
    });
    assert_eq!(
        fs::read_to_string(bundle.path("b/hello")).unwrap(),
        "from b"
    );
    assert_eq!(
        fs::read_to_string(bundle.path("top/upper/hello")).unwrap(),
        "changed"
    );
}

fn devices() {
    let mut bundle = Bundle::like_docker();
    bundle.config["linux"]["devices"] = json!([
        {"type": "c", "path": "/dev/sub/fuse", "major": 10, "minor": 229, "fileMode": 0o640, "uid": 3, "gid": 4},
        {"type": "b", "path": "/dev/disk", "major": 7, "minor": 0},
        {"type": "p", "path": "/run/fifo", "fileMode": 0o600},
        {"type": "c", "path": "/dev/zero", "major": 1, "minor": 5, "fileMode": 0o444},
    ]);
    bundle.run(|| {
        for (name, numbers, mode) in [
            ("null", (1, 3), 0o666),
            ("zero", (1, 5), 0o444),
            ("full", (1, 7), 0o666),
            ("random", (1, 8), 0o666),
            ("urandom", (1, 9), 0o666),
            ("tty", (5, 0), 0o666),
            ("sub/fuse", (10, 229), 0o640),
        ] {
            let node = fs::metadata(Path::new("/dev").join(name)).unwrap();
            assert!(node.file_type().is_char_device(), "{name}");
            assert_eq!((major(node.rdev()), minor(node.rdev())), numbers, "{name}");
            assert_eq!(node.mode() & 0o7777, mode, "{name}");
        }
        let fuse = fs::metadata("/dev/sub/fuse").unwrap();
        assert_eq!((fuse.uid(), fuse.gid()), (3, 4));
        assert!(
            fs::metadata("/dev/disk")
                .unwrap()
                .file_type()
                .is_block_device()
        );
        assert!(fs::metadata("/run/fifo").unwrap().file_type().is_fifo());
        for (link, target) in [
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("ptmx", "pts/ptmx"),
        ] {
            assert_eq!(
                fs::read_link(Path::new("/dev").join(link)).unwrap(),
                Path::new(target)
            );
        }
        File::options()
            .write(true)
            .open("/dev/null")
            .unwrap()
            .write_all(b"gone")
            .unwrap();
    });
}

fn masks() {
    let mut bundle = Bundle::like_docker();
    fs::create_dir_all(bundle.path("rootfs/secret")).unwrap();
    fs::create_dir_all(bundle.path("rootfs/secret2")).unwrap();
    fs::write(bundle.path("rootfs/secret/key"), "x").unwrap();
    let masked = bundle.config["linux"]["maskedPaths"]
        .as_array_mut()
        .unwrap();
    masked.extend([
        json!("/secret"),
        json!("/secret2"),
        json!("/not/there"),
        json!("/secret"),
    ]);
    bundle.run(|| {
        assert_eq!(fs::read("/proc/interrupts").unwrap(), b"");
        for path in ["/secret", "/secret2", "/sys/firmware"] {
            assert_eq!(fs::read_dir(path).unwrap().count(), 0, "{path}");
            assert!(!writable(path), "{path}");
        }
        for path in READONLY.iter().filter(|path| Path::new(path).exists()) {
            assert!(entry(path).options.starts_with("ro"), "{path}");
        }
        assert!(fs::write("/proc/sys/kernel/domainname", "x").is_err());
    });
}

fn masks_are_verified() {
    let mut bundle = Bundle::new();
    fs::create_dir(bundle.path("rootfs/dev")).unwrap();
    fs::write(bundle.path("rootfs/dev/null"), "forged").unwrap();
    mknod_null(&bundle.path("rootfs/dev/zero"), 7);
    fs::write(bundle.path("rootfs/key"), "secret").unwrap();
    bundle.config["linux"]["maskedPaths"] = json!(["/key"]);
    bundle.run(|| {
        assert_eq!(fs::read("/key").unwrap(), b"");
        assert_eq!(
            fs::metadata("/key").unwrap().rdev(),
            rustix::fs::makedev(1, 3)
        );
        assert_eq!(
            fs::metadata("/dev/null").unwrap().rdev(),
            rustix::fs::makedev(1, 3)
        );
        assert_eq!(
            fs::metadata("/dev/zero").unwrap().rdev(),
            rustix::fs::makedev(1, 5)
        );
    });
}

fn read_only_root() {
    let mut bundle = Bundle::like_docker().with_layers(&["a", "b"]);
    bundle.config["root"]["readonly"] = json!(true);
    bundle.mount("/run", "tmpfs", "tmpfs", &["ro"]);
    bundle.mount("/run/inside", "tmpfs", "tmpfs", &["rw"]);
    bundle.run(|| {
        assert!(!writable("/"));
        assert!(writable("/dev/shm"));
        assert!(!writable("/run"));
        assert!(writable("/run/inside"));
    });
}

fn plain_directory() {
    let bundle = Bundle::new();
    fs::write(bundle.path("rootfs/file"), "x").unwrap();
    bundle.run(|| assert!(Path::new("/file").exists() && writable("/")));
    let names: Vec<_> = fs::read_dir(bundle.path("rootfs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "/dev is filled, nothing else: {names:?}");
}

fn hosts_dev() {
    let bundle = Bundle::new();
    // A /dev that nobody misses, in this case's own mount namespace.
    tmpfs(Path::new("/dev"));
    mknod_null(Path::new("/dev/null"), 3);
    fs::write("/dev/ptmx", "the host's").unwrap();
    fs::create_dir(bundle.path("rootfs/dev")).unwrap();
    rustix::mount::mount_bind_recursive("/dev", bundle.path("rootfs/dev")).unwrap();
    bundle.run(|| assert!(Path::new("/dev/null").exists()));
    let names = fs::read_dir("/dev").unwrap().count();
    let ptmx = fs::read_to_string("/dev/ptmx").unwrap();
    assert_eq!((names, ptmx.as_str()), (2, "the host's"));
}

fn no_pivot() {
    let mut bundle = Bundle::like_docker();
    bundle.options.no_pivot = true;
    fs::write(bundle.path("rootfs/file"), "x").unwrap();
    bundle.run(|| {
        assert!(Path::new("/file").exists() && !Path::new("/etc").exists());
        assert_eq!(fs::read_link("/proc/self").unwrap(), Path::new("1"));
        assert_eq!(fs::read("/proc/interrupts").unwrap(), b"");
        assert!(Path::new("/sys/kernel").exists());
    });
}

fn cgroups() {
    let mut bundle = Bundle::like_docker();
    for name in ["memory", "cpu,cpuacct", "unified"] {
        let path = bundle.path("host").join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("cgroup.procs"), "").unwrap();
        bundle.options.cgroups.push(CgroupMount {
            name: name.into(),
            path,
        });
    }
    bundle.run(|| {
        for name in ["memory", "cpu", "cpuacct", "cpu,cpuacct", "unified"] {
            assert!(
                Path::new("/sys/fs/cgroup")
                    .join(name)
                    .join("cgroup.procs")
                    .exists(),
                "{name}"
            );
        }
        assert_eq!(
            fs::read_link("/sys/fs/cgroup/cpuacct").unwrap(),
            Path::new("cpu,cpuacct")
        );
        assert!(!writable("/sys/fs/cgroup") && !writable("/sys/fs/cgroup/memory"));
        assert!(
            entry("/sys/fs/cgroup/memory")
                .options
                .starts_with("ro,nosuid,nodev,noexec")
        );
    });
}

fn one_cgroup() {
    let mut bundle = Bundle::like_docker();
    fs::write(bundle.path("host/cgroup.procs"), "").unwrap();
    bundle.options.cgroups = vec![CgroupMount {
        name: String::new(),
        path: bundle.path("host"),
    }];
    bundle.run(|| {
        assert!(Path::new("/sys/fs/cgroup/cgroup.procs").exists());
        assert!(!writable("/sys/fs/cgroup"));
    });
}

fn console() {
    let bundle = Bundle::like_docker();
    let mut master = None;
    bundle.run_stages(
        |mounted| {
            let (ours, theirs) = open_terminal(mounted.root()).unwrap();
            mounted.bind_console(&theirs).unwrap();
            master = Some(File::from(ours));
        },
        || {
            assert!(
                fs::metadata("/dev/console")
                    .unwrap()
                    .file_type()
                    .is_char_device()
            );
            File::options()
                .write(true)
                .open("/dev/console")
                .unwrap()
                .write_all(b"hello")
                .unwrap();
            assert!(Path::new("/dev/pts/0").exists());
        },
    );
    let mut plain = Bundle::new();
    plain.mount("/dev", "tmpfs", "tmpfs", &[]);
    plain.run_stages(
        |mounted| assert!(open_terminal(mounted.root()).is_err()),
        || (),
    );
}

fn copy_up() {
    let mut bundle = Bundle::new();
    let image = bundle.path("rootfs/var/lib");
    fs::create_dir_all(image.join("deep/er")).unwrap();
    fs::write(image.join("deep/er/file"), "content").unwrap();
    fs::set_permissions(
        image.join("deep/er/file"),
        fs::Permissions::from_mode(0o4711),
    )
    .unwrap();
    std::os::unix::fs::chown(image.join("deep/er/file"), Some(11), Some(12)).unwrap();
    fs::set_permissions(
        image.join("deep/er/file"),
        fs::Permissions::from_mode(0o4711),
    )
    .unwrap();
    symlink("/etc/shadow", image.join("link")).unwrap();
    fs::set_permissions(&image, fs::Permissions::from_mode(0o711)).unwrap();
    bundle.mount("/var/lib", "tmpfs", "tmpfs", &["tmpcopyup", "ro"]);
    bundle.mount("/empty", "tmpfs", "tmpfs", &["tmpcopyup", "mode=700"]);
    bundle.run(|| {
        let file = fs::metadata("/var/lib/deep/er/file").unwrap();
        assert_eq!(
            (file.mode() & 0o7777, file.uid(), file.gid()),
            (0o4711, 11, 12)
        );
        assert_eq!(
            fs::read_to_string("/var/lib/deep/er/file").unwrap(),
            "content"
        );
        assert_eq!(
            fs::read_link("/var/lib/link").unwrap(),
            Path::new("/etc/shadow")
        );
        assert_eq!(fs::metadata("/var/lib").unwrap().mode() & 0o7777, 0o711);
        assert_eq!(fs::metadata("/empty").unwrap().mode() & 0o7777, 0o700);
        assert!(!writable("/var/lib") && writable("/empty"));
    });
}

fn remount() {
    let mut bundle = Bundle::new();
    bundle.mount("/t", "tmpfs", "tmpfs", &["noexec"]).mount(
        "/t",
        "tmpfs",
        "tmpfs",
        &["remount", "ro", "exec", "nosuid"],
    );
    bundle.mount("/proc", "proc", "proc", &[]);
    bundle.run(|| assert_eq!(entry("/t").options, "ro,nosuid,relatime"));
    let mut bundle = Bundle::new();
    fs::create_dir(bundle.path("rootfs/plain")).unwrap();
    bundle.mount("/plain", "none", "", &["remount", "ro"]);
    assert_eq!(
        bundle.error(),
        "cannot set remount,ro on /plain: it is not a mount point"
    );
}

fn errors() {
    let error = |destination: &str, kind: &str, options: &[&str]| {
        let mut bundle = Bundle::new();
        fs::write(bundle.path("rootfs/file"), "").unwrap();
        bundle.mount(destination, kind, "none", options).error()
    };
    assert_eq!(
        error("/x", "nosuchfs", &[]),
        "cannot mount nosuchfs on /x: the kernel has no such file system"
    );
    let text = error("/x", "tmpfs", &["size=much"]);
    assert!(
        text.starts_with("cannot mount tmpfs on /x: tmpfs: Bad value for 'size'"),
        "{text}"
    );
    assert_eq!(
        error("/file", "tmpfs", &[]),
        "cannot mount tmpfs on /file: a directory cannot cover a file"
    );
    assert_eq!(
        error("/file/x", "tmpfs", &[]),
        "cannot mount tmpfs on /file/x: the image has a file there that is not a directory"
    );
    let mut bundle = Bundle::new();
    bundle.config["root"]["path"] = json!("nowhere");
    assert_eq!(
        bundle.error(),
        format!(
            "the root directory {} does not exist",
            bundle.path("nowhere").display()
        )
    );
}

/// Prints how long docker's default container takes, with layers and with a plain directory.
pub fn times() {
    let layers = Bundle::like_docker().with_layers(&["a", "b"]);
    for (mut bundle, image) in [(layers, "b"), (Bundle::like_docker(), "rootfs")] {
        let etc = bundle.path(image).join("etc");
        fs::create_dir_all(&etc).unwrap();
        for name in ["hostname", "hosts", "resolv.conf"] {
            let source = bundle.path("host").join(name);
            fs::write(&source, "").unwrap();
            fs::write(etc.join(name), "").unwrap();
            let destination = format!("/etc/{name}");
            bundle.mount(
                &destination,
                "bind",
                source.to_str().unwrap(),
                &["rbind", "rprivate"],
            );
        }
        let mut times: Vec<_> = (0..100).map(|_| bundle.times()).collect();
        let mut of = |part: usize| {
            times.sort_unstable_by_key(|parts| parts[part]);
            (times[0][part], times[times.len() / 2][part])
        };
        let (prepare, mount, enter) = (of(0), of(1), of(2));
        println!(
            "{image}: microseconds (least, median): prepare {prepare:?}, mount {mount:?}, enter {enter:?}"
        );
    }
}
