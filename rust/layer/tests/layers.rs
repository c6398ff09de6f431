//! Layers on layers: whiteouts in both forms, what changed, copies.
#![allow(missing_docs)]

mod support;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt, symlink},
    },
    path::Path,
};

use pyctr_layer::{
    ApplyOptions, ChangeKind, IdRange, Owners, PackOptions, Whiteouts, copy_tree, overlay_changes,
    pack, stream::Cancel, tree_changes, usage,
};
use support::{Jail, archive, directory, file, hard_link, made, tree};

const NOTHING: &[u8] = b"";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn base() -> Vec<u8> {
    archive(&[
        (directory("etc"), NOTHING),
        (file("etc/passwd"), b"root"),
        (file("etc/shadow"), b"x"),
        (directory("opt/old/deep"), NOTHING),
        (file("opt/old/deep/file"), b"x"),
        (directory("usr"), NOTHING),
        (file("usr/a"), b"a"),
        (file("usr/b"), b"b"),
    ])
}

fn upper() -> Vec<u8> {
    archive(&[
        (file("etc/.wh.shadow"), NOTHING),
        (file("etc/group"), b"wheel"),
        (file("opt/.wh.old"), NOTHING),
        (directory("opt/old"), NOTHING),
        (file("opt/old/fresh"), b"new"),
        (file("usr/b"), b"changed"),
        (file("usr/.wh..wh..opq"), NOTHING),
        (file("usr/c"), b"c"),
    ])
}

#[test]
fn removal_leaves_what_the_layer_itself_made() {
    let jail = Jail::new();
    jail.apply(&base()).expect("applied");
    jail.apply(&upper()).expect("applied");
    let found: BTreeSet<_> = tree(&jail.root())
        .into_keys()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let expected = [
        "etc",
        "etc/group",
        "etc/passwd",
        "opt",
        "opt/old",
        "opt/old/fresh",
        "usr",
        "usr/b",
        "usr/c",
    ];
    assert_eq!(found, expected.map(String::from).into());
    assert_eq!(
        fs::read(jail.root().join("usr/b")).expect("there"),
        b"changed"
    );
}

#[test]
fn overlay_form() {
    if !is_root() {
        return;
    }
    let (below, above) = (Jail::new(), Jail::new());
    below.apply(&base()).expect("applied");
    let lower = vec![File::open(below.root()).expect("opens").into()];
    above
        .apply_with(
            &upper(),
            &ApplyOptions {
                lower,
                ..ApplyOptions::default()
            },
        )
        .expect("applied");
    let stat = fs::symlink_metadata(above.root().join("etc/shadow")).expect("there");
    assert!(stat.file_type().is_char_device() && stat.rdev() == 0);
    for (path, is_opaque) in [
        ("opt/old", true),
        ("usr", true),
        ("etc", false),
        ("opt", false),
    ] {
        assert_eq!(opaque(&above.root().join(path)), is_opaque, "{path}");
    }
    assert_eq!(
        changes(&above.root(), &below.root()),
        [
            "C /etc",
            "A /etc/group",
            "D /etc/shadow",
            "C /opt",
            "C /opt/old",
            "D /opt/old/deep",
            "A /opt/old/fresh",
            "C /usr",
            "D /usr/a",
            "C /usr/b",
            "A /usr/c"
        ]
    );
}

#[test]
fn a_directory_that_is_not_named_looks_like_the_one_below() {
    let (below, above) = (Jail::new(), Jail::new());
    let mut closed = directory("srv/closed");
    closed.mode = 0o1750;
    closed.mtime.seconds = 1_000_000;
    below
        .apply(&archive(&[(closed, NOTHING)]))
        .expect("applied");
    let lower = vec![File::open(below.root()).expect("opens").into()];
    let whiteouts = Whiteouts::Remove;
    let options = ApplyOptions {
        lower,
        whiteouts,
        ..ApplyOptions::default()
    };
    above
        .apply_with(
            &archive(&[(file("srv/closed/new"), b"x"), (file("other/new"), b"x")]),
            &options,
        )
        .expect("applied");
    let mode = |path: &str| fs::metadata(above.root().join(path)).expect("there").mode() & 0o7777;
    assert_eq!(mode("srv/closed"), 0o1750);
    assert_eq!(mode("other"), 0o755);
}

#[test]
fn a_renamed_directory_is_compared_with_what_it_was() {
    if !is_root() {
        return;
    }
    let (below, above) = (Jail::new(), Jail::new());
    below.apply(&base()).expect("applied");
    // As overlayfs leaves it after "mv opt/old opt/moved; touch opt/moved/more" with redirect_dir=on.
    fs::create_dir_all(above.root().join("opt/moved")).expect("made");
    fs::write(above.root().join("opt/moved/more"), "x").expect("written");
    set_xattr(
        &above.root().join("opt/moved"),
        "trusted.overlay.redirect",
        b"old",
    );
    whiteout(&above.root(), "opt/old");
    let found = changes(&above.root(), &below.root());
    let expected = [
        "C /opt",
        "A /opt/moved",
        "A /opt/moved/deep",
        "A /opt/moved/deep/file",
        "A /opt/moved/more",
        "D /opt/old",
    ];
    assert_eq!(found, expected);
    set_xattr(
        &above.root().join("opt/moved"),
        "trusted.overlay.redirect",
        b"/opt/old",
    );
    assert_eq!(changes(&above.root(), &below.root()), expected);
}

#[test]
fn trees_are_compared_by_attributes() {
    let (old, new) = (Jail::new(), Jail::new());
    old.apply(&base()).expect("applied");
    copy(&old.root(), &new.root());
    let compare = || {
        let (new, old) = (
            File::open(new.root()).expect("opens"),
            File::open(old.root()).expect("opens"),
        );
        shown(tree_changes(new.as_fd(), old.as_fd()).expect("compared"))
    };
    assert!(compare().is_empty());
    fs::write(new.root().join("etc/passwd"), "other").expect("written");
    fs::remove_dir_all(new.root().join("opt/old")).expect("removed");
    symlink("x", new.root().join("usr/link")).expect("linked");
    let expected = [
        "C /etc/passwd",
        "C /opt",
        "D /opt/old",
        "C /usr",
        "A /usr/link",
    ];
    assert_eq!(compare(), expected);
}

#[test]
fn a_copy_is_the_same() {
    let (old, new) = (Jail::new(), Jail::new());
    let mut closed = directory("closed");
    closed.mode = 0o2500;
    closed.mtime.seconds = 77;
    let mut special = made("pipe", pyctr_layer::tar::Kind::Fifo, 0o4611);
    special.mtime.nanos = 5;
    let entries = [
        (file("a"), &b"data"[..]),
        (hard_link("d/b", "a"), NOTHING),
        (closed, NOTHING),
        (special, NOTHING),
    ];
    old.apply(&archive(&entries)).expect("applied");
    let sparse = File::create(old.root().join("sparse")).expect("made");
    sparse.set_len(1 << 32).expect("set");
    rustix::io::pwrite(&sparse, b"x", 1 << 31).expect("written");
    copy(&old.root(), &new.root());
    // Reading 4 GiB of zeros twice would prove nothing more.
    let (from, to) = (old.root().join("sparse"), new.root().join("sparse"));
    let stat = fs::metadata(&to).expect("there");
    assert_eq!(
        (stat.len(), stat.blocks()),
        (1 << 32, fs::metadata(&from).expect("there").blocks())
    );
    fs::remove_file(from).expect("removed");
    fs::remove_file(to).expect("removed");
    for jail in [&old, &new] {
        let when = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        File::open(jail.root())
            .expect("opens")
            .set_times(when)
            .expect("set");
    }
    assert_eq!(tree(&new.root()), tree(&old.root()));
}

/// `cap_net_raw=ep` as the kernel stores it: revision 2, effective; permitted, inheritable, twice.
const CAPABILITY: [u8; 20] = [
    1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

#[test]
fn capabilities_and_attributes_survive() {
    if !is_root() {
        return;
    }
    let (one, two, three) = (Jail::new(), Jail::new(), Jail::new());
    let mut ping = file("ping");
    // An owner other than ours: changing it drops capabilities, so it must come first.
    (ping.mode, ping.uid) = (0o4755, 1234);
    ping.xattrs = vec![
        (b"security.capability".to_vec(), CAPABILITY.to_vec()),
        (b"user.note".to_vec(), b"a\0b".to_vec()),
    ];
    one.apply(&archive(&[(ping, &b"binary"[..])]))
        .expect("applied");
    let packed = tempfile::tempfile().expect("temporary file");
    let root = File::open(one.root()).expect("opens");
    let cancel = Cancel::new().expect("eventfd");
    pack(
        root.as_fd(),
        b"",
        packed.as_fd(),
        &PackOptions::default(),
        &cancel,
    )
    .expect("packed");
    rustix::fs::seek(&packed, rustix::fs::SeekFrom::Start(0)).expect("rewound");
    let options = ApplyOptions {
        whiteouts: Whiteouts::Keep,
        ..ApplyOptions::default()
    };
    let applied = two.apply_file(&packed, &options).expect("applied");
    copy(&two.root(), &three.root());
    for jail in [&one, &two, &three] {
        let path = jail.root().join("ping");
        let value = |name: &str| {
            let mut value = vec![0u8; 64];
            let length = rustix::fs::getxattr(&path, name, &mut value[..]).unwrap_or(0);
            value.truncate(length);
            value
        };
        assert_eq!(value("security.capability"), CAPABILITY);
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o7777, 0o4755);
        assert_eq!(fs::metadata(&path).expect("there").uid(), 1234);
        if applied.skipped_xattrs == 0 {
            assert_eq!(value("user.note"), b"a\0b");
        }
    }
}

#[test]
fn owners_are_mapped() {
    if !is_root() {
        return;
    }
    let jail = Jail::new();
    let range = |inside, outside, count| IdRange {
        inside,
        outside,
        count,
    };
    let maps = || {
        (
            vec![range(0, 100_000, 1000), range(1000, 5, 1)],
            vec![range(0, 200_000, 65_536)],
        )
    };
    let entry = |uid, gid| {
        let mut entry = file("f");
        (entry.uid, entry.gid) = (uid, gid);
        archive(&[(entry, NOTHING)])
    };
    let apply_with = |owners, archive: &[u8]| {
        let options = ApplyOptions {
            owners,
            whiteouts: Whiteouts::Keep,
            ..ApplyOptions::default()
        };
        jail.apply_with(archive, &options)
    };
    let owner = || {
        fs::metadata(jail.root().join("f"))
            .map(|stat| (stat.uid(), stat.gid()))
            .expect("there")
    };
    let (users, groups) = maps();
    apply_with(Owners::Mapped(users, groups), &entry(1000, 7)).expect("applied");
    assert_eq!(owner(), (5, 200_007));
    apply_with(Owners::Fixed(3, 4), &entry(1000, 7)).expect("applied");
    assert_eq!(owner(), (3, 4));
    let (users, groups) = maps();
    let error = apply_with(Owners::Mapped(users, groups), &entry(1001, 7)).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the archive has the user 1001, which is not in the id map"
    );
}

#[test]
fn usage_counts_a_file_once() {
    let jail = Jail::new();
    let entries = [
        (file("a"), &[0u8; 100][..]),
        (hard_link("b", "a"), NOTHING),
        (directory("d"), NOTHING),
        (file("d/c"), b"12"),
    ];
    jail.apply(&archive(&entries)).expect("applied");
    let found = usage(File::open(jail.root()).expect("opens").as_fd()).expect("measured");
    assert_eq!((found.bytes, found.files), (102, 3));
}

fn changes(upper: &Path, lower: &Path) -> Vec<String> {
    let (upper, lower) = (
        File::open(upper).expect("opens"),
        File::open(lower).expect("opens"),
    );
    shown(overlay_changes(upper.as_fd(), &[lower.as_fd()]).expect("compared"))
}

fn shown(changes: Vec<pyctr_layer::Change>) -> Vec<String> {
    let letter = |kind| match kind {
        ChangeKind::Modified => 'C',
        ChangeKind::Added => 'A',
        ChangeKind::Deleted => 'D',
    };
    let line = |change: pyctr_layer::Change| {
        format!(
            "{} {}",
            letter(change.kind),
            String::from_utf8_lossy(&change.path)
        )
    };
    changes.into_iter().map(line).collect()
}

fn copy(from: &Path, to: &Path) {
    let (from, to) = (
        File::open(from).expect("opens"),
        File::open(to).expect("opens"),
    );
    copy_tree(from.as_fd(), to.as_fd(), &Cancel::new().expect("eventfd")).expect("copied");
}

fn opaque(path: &Path) -> bool {
    let mut value = [0u8; 8];
    let found = rustix::fs::getxattr(path, "trusted.overlay.opaque", &mut value[..]);
    found.is_ok_and(|length| &value[..length] == b"y")
}

fn set_xattr(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty()).expect("set");
}

fn whiteout(root: &Path, path: &str) {
    let root = File::open(root).expect("opens");
    let mode = rustix::fs::Mode::empty();
    rustix::fs::mknodat(&root, path, rustix::fs::FileType::CharacterDevice, mode, 0).expect("made");
}
