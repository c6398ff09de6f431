//! What the tests of archives share: a directory to apply to, archives made by hand, and trees to compare.
#![allow(dead_code)]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    os::{
        fd::AsFd,
        unix::{ffi::OsStrExt, fs::MetadataExt},
    },
    path::{Path, PathBuf},
};

use pyctr_layer::{
    Applied, ApplyOptions, Result, Whiteouts, apply,
    stream::Cancel,
    tar::{Entry, Kind, Writer},
};

/// A directory to apply to, and beside it what no archive may reach.
pub struct Jail {
    home: tempfile::TempDir,
}

pub const SECRET: &str = "host secret";

impl Jail {
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("temporary directory");
        fs::create_dir(home.path().join("root")).expect("made");
        fs::create_dir(home.path().join("outside")).expect("made");
        fs::write(home.path().join("outside/secret"), SECRET).expect("written");
        Self { home }
    }

    pub fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }

    pub fn outside(&self) -> PathBuf {
        self.home.path().join("outside")
    }

    pub fn apply(&self, archive: &[u8]) -> Result<Applied> {
        self.apply_with(
            archive,
            &ApplyOptions {
                whiteouts: Whiteouts::Remove,
                ..ApplyOptions::default()
            },
        )
    }

    pub fn apply_with(&self, archive: &[u8], options: &ApplyOptions) -> Result<Applied> {
        let mut file = tempfile::tempfile().expect("temporary file");
        file.write_all(archive).expect("written");
        file.seek(SeekFrom::Start(0)).expect("rewound");
        self.apply_file(&file, options)
    }

    pub fn apply_file(&self, file: &File, options: &ApplyOptions) -> Result<Applied> {
        let root = File::open(self.root()).expect("opens");
        apply(
            file.as_fd(),
            root.as_fd(),
            options,
            &Cancel::new().expect("eventfd"),
        )
    }

    /// Nothing outside the root was made, changed or removed.
    pub fn assert_untouched(&self) {
        let outside = tree(&self.outside());
        assert_eq!(outside.len(), 1, "{outside:?}");
        assert_eq!(
            fs::read_to_string(self.outside().join("secret")).expect("there"),
            SECRET
        );
        assert_eq!(
            fs::metadata(self.outside().join("secret"))
                .expect("there")
                .nlink(),
            1
        );
        assert_eq!(fs::read_dir(self.home.path()).expect("read").count(), 2);
    }
}

/// An archive of these entries; files get the data beside them.
pub fn archive(entries: &[(Entry, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (entry, data) in entries {
        let mut entry = entry.clone();
        entry.size = data.len() as u64;
        writer.header(&entry).expect("memory takes it");
        writer.data(data).expect("memory takes it");
    }
    writer.finish().expect("memory takes it")
}

pub fn file(path: &str) -> Entry {
    made(path, Kind::File, 0o644)
}

pub fn directory(path: &str) -> Entry {
    made(path, Kind::Directory, 0o755)
}

pub fn symlink(path: &str, target: &str) -> Entry {
    let mut entry = made(path, Kind::Symlink, 0o777);
    entry.link = target.into();
    entry
}

pub fn hard_link(path: &str, target: &str) -> Entry {
    let mut entry = made(path, Kind::HardLink, 0o644);
    entry.link = target.into();
    entry
}

pub fn made(path: &str, kind: Kind, mode: u32) -> Entry {
    let mut entry = Entry::new(path, kind);
    entry.mode = mode;
    (entry.uid, entry.gid) = me();
    entry
}

pub fn me() -> (u32, u32) {
    (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    )
}

/// What a tree holds, by path: everything that an archive can carry.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, Node> {
    let mut found = BTreeMap::new();
    collect(root, root, &mut found);
    found
}

#[derive(Debug, PartialEq, Eq)]
pub struct Node {
    pub mode: u32,
    pub owner: (u32, u32),
    pub mtime: (i64, i64),
    pub device: u64,
    pub links: u64,
    pub content: Vec<u8>,
}

fn collect(root: &Path, here: &Path, found: &mut BTreeMap<PathBuf, Node>) {
    for entry in fs::read_dir(here).expect("read") {
        let path = entry.expect("read").path();
        let stat = fs::symlink_metadata(&path).expect("there");
        let kind = stat.file_type();
        let content = if kind.is_file() {
            fs::read(&path).expect("read")
        } else if kind.is_symlink() {
            fs::read_link(&path)
                .expect("read")
                .as_os_str()
                .as_bytes()
                .to_vec()
        } else {
            Vec::new()
        };
        let node = Node {
            mode: stat.mode(),
            owner: (stat.uid(), stat.gid()),
            mtime: (stat.mtime(), stat.mtime_nsec()),
            device: stat.rdev(),
            links: if kind.is_dir() { 0 } else { stat.nlink() },
            content,
        };
        found.insert(path.strip_prefix(root).expect("below").to_owned(), node);
        if kind.is_dir() {
            collect(root, &path, found);
        }
    }
}
