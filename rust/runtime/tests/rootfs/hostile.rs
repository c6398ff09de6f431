//! Images that mean harm. Each has something that works beside it.

use std::{fs, os::unix::fs::symlink};

use crate::harness::{Background, Bundle, Case, writable};

pub const CASES: &[Case] = &[
    ("a symbolic link for /proc or /sys is refused", linked_proc),
    ("links to the outside stay inside", escapes),
    ("magic links are refused", magic_links),
    ("nothing is mounted inside /proc", inside_proc),
    ("nothing covers the root", over_the_root),
    ("masked paths follow links inside only", masked_links),
    ("a link in /dev is no console", console_link),
    (
        "a link that changes places with a directory",
        exchanged_link,
    ),
];

fn linked_proc() {
    for (path, kind) in [("/proc", "proc"), ("/sys", "sysfs")] {
        let mut bundle = Bundle::new();
        fs::create_dir(bundle.path("rootfs/forged")).unwrap();
        symlink("/forged", bundle.path("rootfs").join(&path[1..])).unwrap();
        let text = bundle.mount(path, kind, kind, &[]).error();
        let why =
            "it must be mounted on ordinary directory, and the image has a symbolic link there";
        assert_eq!(text, format!("cannot mount {kind} on {path}: {why}"));
    }
    let mut bundle = Bundle::new();
    fs::write(bundle.path("rootfs/proc"), "").unwrap();
    bundle.mount("/proc", "proc", "proc", &[]);
    assert_eq!(
        bundle.error(),
        "cannot mount proc on /proc: a directory cannot cover a file"
    );
}

fn escapes() {
    let mut bundle = Bundle::like_docker();
    let host = bundle.path("host");
    symlink("../../../../../../../..", bundle.path("rootfs/up")).unwrap();
    symlink(&host, bundle.path("rootfs/absolute")).unwrap();
    symlink("../host", bundle.path("rootfs/beside")).unwrap();
    for destination in ["/up/dir", "/absolute/dir", "/beside/dir"] {
        bundle.mount(destination, "tmpfs", "tmpfs", &[]);
    }
    fs::write(bundle.path("file"), "").unwrap();
    bundle.mount("/up/made/file", "bind", "file", &["bind"]);
    let inside = host.join("dir");
    bundle.run(|| {
        assert!(writable("/dir") && writable(&inside) && writable("/host/dir"));
        assert!(fs::metadata("/made/file").unwrap().is_file());
    });
    assert_eq!(fs::read_dir(&host).unwrap().count(), 0);
    assert!(!std::path::Path::new("/made").exists() && !std::path::Path::new("/dir").exists());
}

fn magic_links() {
    for destination in ["/root/x", "/cwd/x", "/fd/x", "/root"] {
        let mut bundle = Bundle::like_docker();
        for (link, target) in [
            ("root", "/proc/self/root"),
            ("cwd", "/proc/1/cwd"),
            ("fd", "/proc/self/fd/0"),
        ] {
            symlink(target, bundle.path("rootfs").join(link)).unwrap();
        }
        let text = bundle.mount(destination, "tmpfs", "tmpfs", &[]).error();
        assert_eq!(
            text,
            format!("cannot mount tmpfs on {destination}: too many levels of symbolic links")
        );
    }
}

fn inside_proc() {
    let error = |destination: &str, kind: &str, source: &str, options: &[&str]| {
        let mut bundle = Bundle::like_docker();
        symlink("/proc/sys", bundle.path("rootfs/innocent")).unwrap();
        fs::write(bundle.path("host/cpuinfo"), "mine").unwrap();
        bundle.mount(destination, kind, source, options).error()
    };
    assert_eq!(
        error("/proc/sys/net", "tmpfs", "t", &[]),
        "cannot mount tmpfs on /proc/sys/net: it is inside /proc"
    );
    assert_eq!(
        error("/innocent/kernel", "tmpfs", "t", &[]),
        "cannot mount tmpfs on /innocent/kernel: it is inside /proc"
    );
    let why = "only a proc file system may be there";
    assert_eq!(
        error("/proc", "tmpfs", "t", &[]),
        format!("cannot mount tmpfs on /proc: {why}")
    );
    assert_eq!(
        error("/proc", "bind", "host", &["bind"]),
        format!("cannot mount host on /proc: {why}")
    );
    assert_eq!(error("/proc", "bind", "/proc", &["rbind"]), "");
    let mut bundle = Bundle::like_docker();
    fs::write(bundle.path("host/cpuinfo"), "mine").unwrap();
    bundle.mount("/proc/cpuinfo", "bind", "host/cpuinfo", &["bind", "ro"]);
    bundle.run(|| assert_eq!(fs::read_to_string("/proc/cpuinfo").unwrap(), "mine"));
}

fn over_the_root() {
    let mut bundle = Bundle::new();
    symlink("/", bundle.path("rootfs/self")).unwrap();
    let text = bundle.mount("/self", "tmpfs", "tmpfs", &[]).error();
    assert_eq!(
        text,
        "cannot mount tmpfs on /self: it leads to the container's root directory"
    );
}

fn masked_links() {
    let mut bundle = Bundle::new();
    fs::write(bundle.path("host/secret"), "host").unwrap();
    fs::write(bundle.path("rootfs/target"), "image").unwrap();
    symlink("/target", bundle.path("rootfs/inside")).unwrap();
    symlink(bundle.path("host/secret"), bundle.path("rootfs/outside")).unwrap();
    bundle.config["linux"]["maskedPaths"] = serde_json::json!(["/inside", "/outside"]);
    bundle.run(|| assert_eq!(fs::read("/target").unwrap(), b""));
    assert_eq!(
        fs::read_to_string(bundle.path("host/secret")).unwrap(),
        "host"
    );
}

fn console_link() {
    let mut bundle = Bundle::new();
    bundle.mount(
        "/dev/pts",
        "devpts",
        "devpts",
        &["newinstance", "ptmxmode=0666"],
    );
    fs::create_dir(bundle.path("rootfs/dev")).unwrap();
    fs::write(bundle.path("rootfs/victim"), "").unwrap();
    symlink("/victim", bundle.path("rootfs/dev/console")).unwrap();
    bundle.run_stages(
        |mounted| {
            let (_master, slave) = pyctr_runtime::rootfs::open_terminal(mounted.root()).unwrap();
            let error = mounted.bind_console(&slave).unwrap_err().to_string();
            assert_eq!(
                error,
                "cannot mount the terminal on /dev/console: too many levels of symbolic links"
            );
        },
        || assert!(fs::metadata("/victim").unwrap().is_file()),
    );
}

/// Another container with the same volume exchanges a directory and a link while mounts are made below it (CVE-2021-30465).
fn exchanged_link() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let mut bundle = Bundle::new();
    let (dir, evil) = (bundle.path("host/dir"), bundle.path("host/evil"));
    fs::create_dir(&dir).unwrap();
    symlink("../../../../../../../../..", &evil).unwrap();
    bundle.mount("/volume", "bind", "host", &["rbind"]);
    for i in 0..20 {
        bundle.mount(&format!("/volume/dir/in{i}"), "tmpfs", "race", &[]);
    }
    let root = bundle.path("rootfs");
    let _swap = Background::repeat(|| {
        let _ = renameat_with(CWD, &dir, CWD, &evil, RenameFlags::EXCHANGE);
    });
    for _ in 0..20 {
        bundle.run_stages(
            |_| {
                let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
                let ours = table.lines().filter(|line| line.contains(" - tmpfs race "));
                let places: Vec<_> = ours.filter_map(|line| line.split(' ').nth(4)).collect();
                assert_eq!(places.len(), 20);
                assert!(
                    places
                        .iter()
                        .all(|place| std::path::Path::new(place).starts_with(&root)),
                    "{places:?}"
                );
            },
            || (),
        );
    }
    assert!((0..20).all(|i| !std::path::Path::new(&format!("/in{i}")).exists()));
}
