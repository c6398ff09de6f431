//! Archives that try to get out, and odd ones that must work all the same.
//!
//! Each kind of entry meets each trick with paths. Whatever the answer is, nothing outside the root may change.
#![allow(missing_docs)]

mod support;

use std::{
    fs,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
};

use pyctr_layer::{
    ApplyOptions, Error, Limits, Whiteouts,
    tar::{Entry, Kind},
};
use support::{Jail, archive, directory, file, hard_link, made, symlink, tree};

const NOTHING: &[u8] = b"";

/// Ways to name something outside.
fn tricks(jail: &Jail) -> Vec<(Vec<Entry>, String)> {
    let outside = jail.outside().to_string_lossy().into_owned();
    vec![
        (vec![], "../outside/pwned".into()),
        (vec![], "a/../../outside/pwned".into()),
        (vec![], "/../outside/pwned".into()),
        (vec![], format!("{outside}/pwned")),
        (
            vec![],
            "../../../../../../../../../../tmp/../outside/secret".into(),
        ),
        (vec![symlink("link", "../outside")], "link/pwned".into()),
        (vec![symlink("link", &outside)], "link/pwned".into()),
        (vec![symlink("link", &outside)], "link/secret".into()),
        (
            vec![
                symlink("a", "."),
                symlink("a/b", ".."),
                symlink("b/c", ".."),
            ],
            "b/c/outside/pwned".into(),
        ),
        (
            vec![symlink("x", "y"), symlink("y", &outside)],
            "x/pwned".into(),
        ),
        (
            vec![symlink("link", &format!("{outside}/secret"))],
            "link".into(),
        ),
        (
            vec![symlink("proc", "/proc/self/root")],
            format!("proc{outside}/pwned"),
        ),
        (
            vec![symlink("fd", "/proc/self/fd/3")],
            "fd/../../outside/pwned".into(),
        ),
    ]
}

fn every_kind(path: &str, target: &str) -> Vec<(Entry, &'static [u8])> {
    let mut device = made(path, Kind::CharDevice, 0o666);
    device.device = (1, 3);
    let mut block = made(path, Kind::BlockDevice, 0o666);
    block.device = (7, 99);
    vec![
        (file(path), b"pwned"),
        (directory(path), NOTHING),
        (symlink(path, target), NOTHING),
        (hard_link(path, target), NOTHING),
        (device, NOTHING),
        (block, NOTHING),
        (made(path, Kind::Fifo, 0o6777), NOTHING),
    ]
}

#[test]
fn nothing_gets_out() {
    for whiteouts in [Whiteouts::Overlay, Whiteouts::Remove, Whiteouts::Keep] {
        for index in 0..tricks(&Jail::new()).len() {
            for kind in 0..7 {
                let jail = Jail::new();
                let (prepare, path) = tricks(&jail).swap_remove(index);
                let secret = jail.outside().join("secret");
                let mut entries: Vec<_> =
                    prepare.into_iter().map(|entry| (entry, NOTHING)).collect();
                entries.push(every_kind(&path, &secret.to_string_lossy()).swap_remove(kind));
                // Once more through whatever that left: a second chance to follow it.
                entries.push((file(&path), b"again"));
                let options = ApplyOptions {
                    whiteouts,
                    ..ApplyOptions::default()
                };
                let _ = jail.apply_with(&archive(&entries), &options);
                jail.assert_untouched();
            }
        }
    }
}

#[test]
fn hard_links_stay_inside() {
    let jail = Jail::new();
    let secret = jail.outside().join("secret");
    for target in [
        "../outside/secret",
        &secret.to_string_lossy(),
        "link/secret",
        "/proc/self/root/etc/passwd",
        "",
        "..",
    ] {
        let entries = [
            (symlink("link", &jail.outside().to_string_lossy()), NOTHING),
            (hard_link("mine", target), NOTHING),
        ];
        assert!(jail.apply(&archive(&entries)).is_err(), "{target}");
        jail.assert_untouched();
    }
}

#[test]
fn a_hard_link_does_not_change_what_a_symlink_names() {
    let jail = Jail::new();
    let target = jail.outside().join("secret").to_string_lossy().into_owned();
    let mut evil = hard_link("twin", "link");
    evil.mode = 0o4777;
    jail.apply(&archive(&[
        (symlink("link", &target), NOTHING),
        (evil, NOTHING),
    ]))
    .expect("applied");
    assert!(
        fs::symlink_metadata(jail.root().join("twin"))
            .expect("there")
            .is_symlink()
    );
    assert_eq!(fs::metadata(&target).expect("there").mode() & 0o7777, 0o644);
}

#[test]
fn whiteouts_reach_no_further_than_names() {
    for path in [
        ".wh...",
        ".wh..",
        ".wh.",
        "a/.wh...",
        "a/.wh.b/c",
        "../.wh.outside",
        "link/.wh.secret",
        "link/.wh..wh..opq",
    ] {
        let jail = Jail::new();
        let link = symlink("link", &jail.outside().to_string_lossy());
        let result = jail.apply(&archive(&[(link, NOTHING), (file(path), NOTHING)]));
        assert!(result.is_err() || path.starts_with("link"), "{path}");
        jail.assert_untouched();
    }
}

#[test]
fn instructions_to_overlayfs_are_refused() {
    for name in [
        "trusted.overlay.redirect",
        "trusted.overlay.metacopy",
        "trusted.overlay.opaque",
        "user.overlay.redirect",
    ] {
        let jail = Jail::new();
        let mut entry = directory("d");
        entry.xattrs.push((name.into(), b"/etc".to_vec()));
        let error = jail
            .apply(&archive(&[(entry, NOTHING)]))
            .expect_err("refused");
        assert!(
            matches!(error, Error::Refused(_)) && error.to_string().contains(name),
            "{error}"
        );
    }
    let jail = Jail::new();
    let error = jail.apply_with(
        &archive(&[(made("w", Kind::CharDevice, 0o600), NOTHING)]),
        &ApplyOptions::default(),
    );
    assert!(
        matches!(error, Err(Error::Refused(_))),
        "a device 0:0 is a whiteout"
    );
}

#[test]
fn limits_hold() {
    let jail = Jail::new();
    let many: Vec<_> = (0..20)
        .map(|index| (file(&format!("f{index}")), &b"12345"[..]))
        .collect();
    let limited = |entries, bytes| {
        let limits = Limits { entries, bytes };
        jail.apply_with(
            &archive(&many),
            &ApplyOptions {
                limits,
                whiteouts: Whiteouts::Keep,
                ..Default::default()
            },
        )
    };
    assert!(limited(20, 100).is_ok());
    assert!(matches!(limited(19, 100), Err(Error::Refused(_))));
    assert!(matches!(limited(20, 99), Err(Error::Refused(_))));
    let deep = file(&"d/".repeat(600));
    assert!(matches!(
        jail.apply(&archive(&[(deep, NOTHING)])),
        Err(Error::Refused(_))
    ));
    let long = file(&format!("{}/f", "n".repeat(5000)));
    assert!(matches!(
        jail.apply(&archive(&[(long, NOTHING)])),
        Err(Error::Refused(_))
    ));
    let wide = file(&"n".repeat(300));
    assert_eq!(
        jail.apply(&archive(&[(wide, NOTHING)]))
            .expect_err("too long")
            .errno(),
        Some(36)
    );
}

#[test]
fn a_bomb_of_extended_headers_is_refused() {
    let jail = Jail::new();
    let mut entry = file("f");
    entry
        .xattrs
        .push((b"user.big".to_vec(), vec![b'x'; 2 << 20]));
    let error = jail
        .apply(&archive(&[(entry, NOTHING)]))
        .expect_err("refused");
    assert!(error.to_string().contains("extended header"), "{error}");
}

/// As many attributes as fit in a header, of a link, which can have none: passed over, without a comparison of each with each.
#[test]
fn attributes_without_number_are_passed_over() {
    let jail = Jail::new();
    let mut entry = symlink("link", "nowhere");
    entry.xattrs = (0..20_000)
        .map(|index| (format!("user.{index}").into_bytes(), Vec::new()))
        .collect();
    let done = jail.apply(&archive(&[(entry, NOTHING)])).expect("applied");
    assert_eq!(done.skipped_xattrs, 20_000);
}

#[test]
fn an_input_without_end_is_refused() {
    let jail = Jail::new();
    let zeros = std::fs::File::open("/dev/zero").expect("opens");
    let error = jail
        .apply_file(&zeros, &ApplyOptions::default())
        .expect_err("refused");
    let reason = "more than 64 MiB follow the end of the archive";
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn cuts_and_noise_are_damage() {
    let jail = Jail::new();
    let whole = archive(&[(file("a"), &[b'x'; 2000]), (file("b"), b"y")]);
    for cut in [1, 511, 600, 1500, 2600, 3000] {
        assert!(
            matches!(jail.apply(&whole[..cut]), Err(Error::Damaged(_))),
            "cut at {cut}"
        );
    }
    assert!(matches!(jail.apply(b""), Err(Error::Damaged(_))));
    assert!(matches!(jail.apply(&[b'z'; 4096]), Err(Error::Damaged(_))));
    let at_boundary = jail
        .apply(&whole[..3584])
        .expect("some writers end like this");
    assert!(!at_boundary.complete);
    assert!(jail.apply(&whole).expect("applied").complete);
}

#[test]
fn odd_but_honest_archives_work() {
    let jail = Jail::new();
    let mut run = made("var/run/lock/late", Kind::Fifo, 0o640);
    run.mtime.seconds = -5;
    let entries = [
        (symlink("var/run", "/run"), NOTHING),
        (file("var/run/pid"), &b"1"[..]),
        (file("no/parents/given"), b"x"),
        (hard_link("twin", "/no/parents/given"), NOTHING),
        (symlink("becomes", "/elsewhere"), NOTHING),
        (directory("becomes"), NOTHING),
        (file("becomes/full"), b"x"),
        (directory("shrinks"), NOTHING),
        (file("shrinks/inner"), b"x"),
        (file("shrinks"), b"now a file"),
        (run, NOTHING),
        (file("./dot/./and/../dots"), b"x"),
        (file("/absolute/name"), b"x"),
        (symlink("dangling", "../../../../nowhere"), NOTHING),
        (file("dangling/below"), b"x"),
        (hard_link("self", "self"), NOTHING),
    ];
    jail.apply(&archive(&entries)).expect("applied");
    let found = tree(&jail.root());
    let has = |path: &str| found.contains_key(std::path::Path::new(path));
    for path in [
        "run/pid",
        "no/parents/given",
        "twin",
        "becomes/full",
        "dot/dots",
        "absolute/name",
        "nowhere/below",
    ] {
        assert!(has(path), "{path} in {:?}", found.keys());
    }
    assert_eq!(
        found[std::path::Path::new("shrinks")].content,
        b"now a file"
    );
    assert!(
        fs::symlink_metadata(jail.root().join("run/lock/late"))
            .expect("there")
            .file_type()
            .is_fifo()
    );
    jail.assert_untouched();
}

#[test]
fn set_id_bits_survive_the_owner() {
    let jail = Jail::new();
    let mut sudo = file("sudo");
    sudo.mode = 0o4755;
    let mut closed = directory("closed");
    closed.mode = 0o2500;
    jail.apply(&archive(&[
        (sudo, b"x"),
        (closed, NOTHING),
        (file("closed/inside"), b"x"),
    ]))
    .expect("applied");
    let mode = |name: &str| {
        fs::metadata(jail.root().join(name))
            .expect("there")
            .permissions()
            .mode()
            & 0o7777
    };
    assert_eq!(mode("sudo"), 0o4755);
    assert_eq!(mode("closed"), 0o2500);
}

#[test]
fn copying_in_keeps_kinds_when_asked() {
    let jail = Jail::new();
    fs::create_dir(jail.root().join("d")).expect("made");
    fs::write(jail.root().join("f"), "x").expect("written");
    let options = ApplyOptions {
        whiteouts: Whiteouts::Keep,
        keep_kinds: true,
        ..ApplyOptions::default()
    };
    let over_directory = jail
        .apply_with(&archive(&[(file("d"), b"x")]), &options)
        .expect_err("refused");
    assert_eq!(
        over_directory.to_string(),
        "cannot overwrite directory \"d\" with non-directory"
    );
    let over_file = jail
        .apply_with(&archive(&[(directory("f"), NOTHING)]), &options)
        .expect_err("refused");
    assert_eq!(
        over_file.to_string(),
        "cannot overwrite non-directory \"f\" with directory"
    );
    let plain = [
        (directory("d"), NOTHING),
        (file("f"), &b"y"[..]),
        (file(".wh.f"), b"kept"),
    ];
    jail.apply_with(&archive(&plain), &options)
        .expect("applied");
    assert_eq!(fs::read(jail.root().join("f")).expect("there"), b"y");
    assert!(jail.root().join(".wh.f").exists());
}

#[test]
fn a_base_is_resolved_inside_the_root() {
    let jail = Jail::new();
    fs::create_dir_all(jail.root().join("srv/data")).expect("made");
    std::os::unix::fs::symlink("/srv/data", jail.root().join("abs")).expect("linked");
    std::os::unix::fs::symlink("../../outside", jail.root().join("evil")).expect("linked");
    let into = |base: &str| {
        let options = ApplyOptions {
            base: base.into(),
            whiteouts: Whiteouts::Keep,
            ..ApplyOptions::default()
        };
        jail.apply_with(&archive(&[(file("f"), b"x")]), &options)
    };
    into("/abs").expect("applied");
    assert!(jail.root().join("srv/data/f").exists());
    assert!(into("evil").is_err());
    assert!(into("missing").is_err());
    jail.assert_untouched();
}
