//! The same trees through GNU tar and through this crate, both ways.
#![allow(missing_docs)]

mod support;

use std::{
    fs::{self, File},
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, PermissionsExt, symlink},
    },
    path::Path,
    process::Command,
};

use proptest::{collection::btree_map, prelude::*};
use pyctr_layer::{ApplyOptions, PackOptions, Whiteouts, pack, stream::Cancel};
use support::{Jail, tree};

/// What a test puts at a path.
#[derive(Debug, Clone)]
enum Plant {
    File(Vec<u8>, u32),
    Link(String),
    Directory(u32),
    Twin,
    Hole(u64),
}

fn any_plant() -> impl Strategy<Value = Plant> {
    prop_oneof![
        4 => (proptest::collection::vec(any::<u8>(), 0..3000), 0u32..0o1000).prop_map(|(data, mode)| Plant::File(data, mode | 0o400)),
        1 => "[a-z/.]{1,150}".prop_map(Plant::Link),
        2 => (0u32..0o1000).prop_map(|mode| Plant::Directory(mode | 0o700)),
        1 => Just(Plant::Twin),
        1 => (1u64..500_000).prop_map(Plant::Hole),
    ]
}

fn any_tree() -> impl Strategy<Value = std::collections::BTreeMap<String, Plant>> {
    let name = prop_oneof!["[a-c]{1,2}", "[a-z é]{60,120}"];
    let path = proptest::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    btree_map(path, any_plant(), 1..12)
}

/// Make the tree; what cannot be (a path below a file) is left out.
fn plant(root: &Path, plants: &std::collections::BTreeMap<String, Plant>) {
    let mut first = None;
    for (name, plant) in plants {
        let path = root.join(name);
        if fs::create_dir_all(path.parent().expect("has one")).is_err()
            || fs::symlink_metadata(&path).is_ok()
        {
            continue;
        }
        match plant {
            Plant::File(data, mode) => {
                fs::write(&path, data).expect("written");
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).expect("set");
                first.get_or_insert(path);
            }
            Plant::Link(target) => symlink(target, &path).expect("linked"),
            Plant::Directory(mode) => {
                fs::create_dir(&path).expect("made");
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).expect("set");
            }
            Plant::Twin => {
                if let Some(first) = &first {
                    fs::hard_link(first, &path).expect("linked");
                }
            }
            Plant::Hole(size) => {
                let file = File::create(&path).expect("made");
                file.set_len(*size).expect("set");
                rustix::io::pwrite(&file, b"middle", size / 2).expect("written");
            }
        }
    }
}

fn tar(arguments: &[&str], archive: &Path, directory: &Path) {
    let mut command = Command::new("tar");
    command
        .arg("-C")
        .arg(directory)
        .args(arguments)
        .arg("-f")
        .arg(archive);
    if arguments.contains(&"-c") {
        command.arg(".");
    }
    assert!(command.status().expect("GNU tar runs").success());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_gnu_tar_packs_is_applied(plants in any_tree(), format in 0usize..4, compression in 0usize..5) {
        let source = tempfile::tempdir().expect("temporary directory");
        plant(source.path(), &plants);
        let format = ["--format=gnu", "--format=pax", "--format=pax", "--format=gnu"][format];
        let sparse = ["--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"][compression % 3];
        let compress = ["--gzip", "--zstd", "--xz", "--bzip2", "--no-auto-compress"][compression];
        let whole = tempfile::NamedTempFile::new().expect("temporary file");
        tar(&["-c", "--sparse", "--numeric-owner", format, sparse, compress], whole.path(), source.path());
        let jail = Jail::new();
        let options = ApplyOptions { whiteouts: Whiteouts::Remove, ..ApplyOptions::default() };
        let applied = jail.apply_file(&File::open(whole.path()).expect("opens"), &options).expect("applied");
        prop_assert!(applied.complete);
        let (mut expected, found) = (tree(source.path()), tree(&jail.root()));
        if format == "--format=gnu" {
            expected.values_mut().for_each(|node| node.mtime.1 = 0);
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn what_is_packed_gnu_tar_unpacks(plants in any_tree()) {
        let source = tempfile::tempdir().expect("temporary directory");
        plant(source.path(), &plants);
        let whole = tempfile::NamedTempFile::new().expect("temporary file");
        pack_to(source.path(), whole.as_file());
        let target = tempfile::tempdir().expect("temporary directory");
        tar(&["-x", "--numeric-owner", "-p"], whole.path(), target.path());
        prop_assert_eq!(tree(target.path()), tree(source.path()));
    }

    #[test]
    fn the_same_tree_makes_the_same_bytes(plants in any_tree()) {
        let (one, two) = (Jail::new(), Jail::new());
        plant(&one.root(), &plants);
        let (first, second) = (tempfile::tempfile().expect("file"), tempfile::tempfile().expect("file"));
        let packed = pack_to(&one.root(), &first);
        rustix::fs::seek(&first, rustix::fs::SeekFrom::Start(0)).expect("rewound");
        let options = ApplyOptions { whiteouts: Whiteouts::Keep, ..ApplyOptions::default() };
        let applied = two.apply_file(&first, &options).expect("applied");
        prop_assert_eq!(Some(applied.stream.diff_id), packed.digest);
        prop_assert_eq!(pack_to(&two.root(), &second).digest, packed.digest);
    }
}

fn pack_to(root: &Path, output: &File) -> pyctr_layer::Packed {
    let root = File::open(root).expect("opens");
    let options = PackOptions {
        digest: true,
        ..PackOptions::default()
    };
    pack(
        root.as_fd(),
        b"",
        output.as_fd(),
        &options,
        &Cancel::new().expect("eventfd"),
    )
    .expect("packed")
}

#[test]
fn holes_stay_holes() {
    let source = tempfile::tempdir().expect("temporary directory");
    File::create(source.path().join("big"))
        .expect("made")
        .set_len(1 << 40)
        .expect("set");
    let whole = tempfile::NamedTempFile::new().expect("temporary file");
    tar(&["-c", "--sparse"], whole.path(), source.path());
    let jail = Jail::new();
    let options = ApplyOptions {
        whiteouts: Whiteouts::Keep,
        ..ApplyOptions::default()
    };
    jail.apply_file(&File::open(whole.path()).expect("opens"), &options)
        .expect("applied");
    let stat = fs::metadata(jail.root().join("big")).expect("there");
    assert_eq!(stat.len(), 1 << 40);
    assert!(stat.blocks() < 100);
}

#[test]
fn a_part_is_packed_under_a_name() {
    let source = tempfile::tempdir().expect("temporary directory");
    fs::create_dir_all(source.path().join("a/b")).expect("made");
    fs::write(source.path().join("a/b/file"), "x").expect("written");
    symlink("/a", source.path().join("link")).expect("linked");
    let names = |path: &str, name: &str, hollow: &str| {
        let whole = tempfile::NamedTempFile::new().expect("temporary file");
        let root = File::open(source.path()).expect("opens");
        let options = PackOptions {
            name: name.into(),
            hollow: vec![hollow.into()],
            digest: false,
        };
        let cancel = Cancel::new().expect("eventfd");
        pack(
            root.as_fd(),
            path.as_bytes(),
            whole.as_file().as_fd(),
            &options,
            &cancel,
        )
        .map(|_| {
            let listed = Command::new("tar")
                .arg("-tf")
                .arg(whole.path())
                .output()
                .expect("GNU tar runs");
            String::from_utf8(listed.stdout)
                .expect("names")
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        names("/link/b", "copy", "").expect("packed"),
        ["copy/", "copy/file"]
    );
    assert_eq!(names("a", "", "x").expect("packed"), ["b/", "b/file"]);
    assert_eq!(names("a", "", "b").expect("packed"), ["b/"]);
    assert_eq!(names("a", "t", "t/b").expect("packed"), ["t/", "t/b/"]);
    assert_eq!(names("link", "l", "").expect("packed"), ["l"]);
    assert_eq!(
        names("nothing", "n", "").expect_err("missing").errno(),
        Some(2)
    );
}
