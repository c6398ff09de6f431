#![allow(clippy::unwrap_used)]
use std::{
    fs,
    os::unix::fs::{MetadataExt, symlink},
    sync::atomic::{AtomicBool, Ordering},
};

use super::*;

const DIR: Mode = Mode::from_raw_mode(0o755);

/// A root in a temporary directory with a secret beside it.
struct Jail {
    outer: tempfile::TempDir,
    root: Root,
}

impl Jail {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::create_dir(outer.path().join("root")).unwrap();
        fs::write(outer.path().join("secret"), "host").unwrap();
        let root = Root::open_dir(outer.path().join("root")).unwrap();
        Self { outer, root }
    }

    fn path(&self, inside: &str) -> std::path::PathBuf {
        self.outer.path().join("root").join(inside)
    }

    fn inode(fd: impl AsFd) -> u64 {
        rustix::fs::fstat(fd).unwrap().st_ino
    }
}

fn errno(result: io::Result<OwnedFd>) -> Errno {
    Errno::from_io_error(&result.unwrap_err()).unwrap()
}

#[test]
fn an_ordinary_file_opens() {
    let jail = Jail::new();
    fs::write(jail.path("file"), "x").unwrap();
    jail.root
        .open("/file", OFlags::RDONLY, Mode::empty())
        .unwrap();
    jail.root.open("", OFlags::RDONLY, Mode::empty()).unwrap();
}

#[test]
fn links_and_dots_stay_inside() {
    let jail = Jail::new();
    symlink("../../../../../../secret", jail.path("up")).unwrap();
    symlink(jail.outer.path().join("secret"), jail.path("absolute")).unwrap();
    for path in ["up", "absolute", "../secret", "/../../secret"] {
        let result = jail.root.open(path, OFlags::RDONLY, Mode::empty());
        assert_eq!(errno(result), Errno::NOENT, "{path}");
    }
    fs::create_dir(jail.path("run")).unwrap();
    fs::create_dir(jail.path("var")).unwrap();
    symlink("/run", jail.path("var/run")).unwrap();
    let through = jail.root.place("/var/run", Links::Follow).unwrap();
    assert_eq!(
        Jail::inode(through),
        fs::metadata(jail.path("run")).unwrap().ino()
    );
}

#[test]
fn links_can_be_refused() {
    let jail = Jail::new();
    fs::create_dir(jail.path("real")).unwrap();
    symlink("real", jail.path("link")).unwrap();
    assert_eq!(errno(jail.root.place("link", Links::Refuse)), Errno::LOOP);
    assert_eq!(
        errno(jail.root.mkdir_all("link/x", DIR, Links::Refuse)),
        Errno::LOOP
    );
    jail.root.mkdir_all("real/x/y", DIR, Links::Refuse).unwrap();
    assert!(jail.path("real/x/y").is_dir());
}

#[test]
fn magic_links_are_refused() {
    let proc = Root::open_dir("/proc").unwrap();
    let result = proc.open("self/fd/0", OFlags::RDONLY, Mode::empty());
    assert_eq!(errno(result), Errno::LOOP);
}

#[test]
fn directories_are_made_through_links() {
    let jail = Jail::new();
    symlink("/a/b/../c", jail.path("dangling")).unwrap();
    let made = jail
        .root
        .mkdir_all("dangling/d/../e", DIR, Links::Follow)
        .unwrap();
    assert_eq!(
        Jail::inode(made),
        fs::metadata(jail.path("a/c/e")).unwrap().ino()
    );
    symlink("/../../../escape", jail.path("out")).unwrap();
    jail.root.mkdir_all("out", DIR, Links::Follow).unwrap();
    assert!(jail.path("escape").is_dir());
    assert!(!jail.outer.path().join("escape").exists());
}

#[test]
fn what_is_in_the_way_is_named() {
    let jail = Jail::new();
    fs::write(jail.path("file"), "").unwrap();
    symlink("loop", jail.path("loop")).unwrap();
    let make = |path: &str| errno(jail.root.mkdir_all(path, DIR, Links::Follow));
    assert_eq!(make("file"), Errno::NOTDIR);
    assert_eq!(make("file/x"), Errno::NOTDIR);
    assert_eq!(make("loop/x"), Errno::LOOP);
}

#[test]
fn a_file_is_made_once_and_never_through_a_link() {
    let jail = Jail::new();
    symlink(jail.outer.path().join("secret"), jail.path("evil")).unwrap();
    let mode = Mode::from_raw_mode(0o644);
    assert_eq!(errno(jail.root.create_file("evil", mode)), Errno::EXIST);
    jail.root.create_file("new/file", mode).unwrap();
    assert_eq!(errno(jail.root.create_file("new/file", mode)), Errno::EXIST);
    assert_eq!(fs::read(jail.outer.path().join("secret")).unwrap(), b"host");
}

#[test]
fn a_place_for_a_file_is_made_where_a_link_leads() {
    let jail = Jail::new();
    fs::create_dir(jail.path("etc")).unwrap();
    symlink("../run/resolved/stub.conf", jail.path("etc/resolv.conf")).unwrap();
    jail.root.touch("/etc/resolv.conf").unwrap();
    assert!(jail.path("run/resolved/stub.conf").is_file());
    let again = jail.root.touch("/etc/resolv.conf").unwrap();
    assert_eq!(
        Jail::inode(again),
        fs::metadata(jail.path("run/resolved/stub.conf"))
            .unwrap()
            .ino()
    );
    assert_eq!(
        errno(jail.root.touch("/run/resolved/stub.conf/x")),
        Errno::NOTDIR
    );
}

#[test]
fn a_parent_has_a_name_in_it() {
    let jail = Jail::new();
    assert_eq!(jail.root.parent("/x").unwrap().1, "x");
    assert!(jail.root.parent("/").is_err());
    assert!(jail.root.parent("a/..").is_err());
}

/// A directory and a link to the outside change places all the time; whatever is opened or made lies inside.
#[test]
fn renames_do_not_open_a_gap() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let jail = Jail::new();
    fs::create_dir(jail.path("swap")).unwrap();
    symlink("../..", jail.path("evil")).unwrap();
    let (swap, evil) = (jail.path("swap"), jail.path("evil"));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                renameat_with(CWD, &swap, CWD, &evil, RenameFlags::EXCHANGE).unwrap();
            }
        });
        for i in 0..2000 {
            let _ = jail
                .root
                .mkdir_all(format!("swap/d{i}"), DIR, Links::Follow);
            let open = jail.root.open("swap/secret", OFlags::RDONLY, Mode::empty());
            assert!(open.is_err());
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(jail.outer.path()).unwrap().count(), 2);
}

proptest::proptest! {
    /// Whatever the path, what is made lies inside.
    #[test]
    fn no_path_escapes(parts in proptest::collection::vec("(\\.\\.|\\.|[ab]|link|up|)", 0..8)) {
        let jail = Jail::new();
        symlink("/a/../../b", jail.path("link")).unwrap();
        symlink("../..", jail.path("up")).unwrap();
        let made = jail.root.mkdir_all(parts.join("/"), DIR, Links::Follow).unwrap();
        let path = fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&made))).unwrap();
        assert!(path.starts_with(jail.path("")));
        assert_eq!(fs::read_dir(jail.outer.path()).unwrap().count(), 2);
    }
}
