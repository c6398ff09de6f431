//! The `options` of a mount: words of `mount(8)` and of the specification, sorted by who has to act on them.

use std::path::PathBuf;

use pyctr_sys::mount::MountAttr;
use rustix::mount::{MountAttrFlags as Attr, MountPropagationFlags as Propagation};

use super::Depth;

/// mount(8)'s option for a directory inside of what is mounted.
const SUBDIR: &str = "X-mount.subdir=";

/// A change of mount attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    /// Switched on.
    pub(super) set: Attr,
    /// Switched off; a later word overrules an earlier one, so nothing is in both.
    pub(super) clear: Attr,
}

impl Change {
    pub(super) const NONE: Self = Self {
        set: Attr::empty(),
        clear: Attr::empty(),
    };

    pub(super) fn merged(mut self, later: Self) -> Self {
        self.apply(later);
        self
    }

    /// As `mount_setattr(2)` wants it: the policy of access times is cleared as a whole or not at all.
    pub(super) fn attr(self) -> MountAttr<'static> {
        let mut clear = self.clear;
        if (self.set | self.clear).intersects(Attr::MOUNT_ATTR__ATIME) {
            clear |= Attr::MOUNT_ATTR__ATIME;
        }
        MountAttr {
            set: self.set,
            clear,
            ..MountAttr::default()
        }
    }

    fn apply(&mut self, word: Self) {
        self.set = (self.set - word.clear) | word.set;
        self.clear = (self.clear - word.set) | word.clear;
    }
}

/// The options of one mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MountOptions {
    /// `bind` or `rbind`.
    pub(super) bind: Option<Depth>,
    /// Attributes of the mount itself.
    pub(super) top: Change,
    /// Attributes of the mount and all below it (`rro`, `rnosuid` …).
    pub(super) deep: Change,
    /// Propagation types, in the order given.
    pub(super) propagation: Vec<(Propagation, Depth)>,
    /// Options of the superblock that every file system knows.
    pub(super) superblock: Vec<&'static str>,
    /// Options of the file system itself.
    pub(super) data: Vec<(String, Option<String>)>,
    /// `tmpcopyup`: a tmpfs starts with what the image has there.
    pub(super) copy_up: bool,
    /// `idmap` or `ridmap`.
    pub(super) idmap: Option<Depth>,
    /// `remount`: change the mount that is there.
    pub(super) remount: bool,
    /// `X-mount.subdir=…`: what of a bind's source is meant. Whoever writes there must not lead the mount out of the source.
    pub(super) subdir: Option<PathBuf>,
}

impl MountOptions {
    pub(super) fn parse<S: AsRef<str>>(words: &[S]) -> Self {
        let mut options = Self {
            bind: None,
            top: Change::NONE,
            deep: Change::NONE,
            propagation: Vec::new(),
            superblock: Vec::new(),
            data: Vec::new(),
            copy_up: false,
            idmap: None,
            remount: false,
            subdir: None,
        };
        for word in words {
            options.word(word.as_ref());
        }
        options
    }

    fn word(&mut self, word: &str) {
        match word {
            // iversion is the file system's own business on every kernel we run on.
            "" | "defaults" | "loud" | "silent" | "iversion" | "noiversion" => {}
            "bind" => self.bind = Some(self.bind.unwrap_or(Depth::Top)),
            "rbind" => self.bind = Some(Depth::Tree),
            "remount" => self.remount = true,
            "tmpcopyup" => self.copy_up = true,
            "idmap" => self.idmap = Some(Depth::Top),
            "ridmap" => self.idmap = Some(Depth::Tree),
            _ => match word.strip_prefix(SUBDIR) {
                Some(path) => self.subdir = Some(path.into()),
                None => self.attribute(word),
            },
        }
    }

    fn attribute(&mut self, word: &str) {
        if let Some(change) = change(word) {
            self.top.apply(change);
        } else if let Some(change) = word.strip_prefix('r').and_then(change) {
            self.deep.apply(change);
        } else if let Some(propagation) = propagation(word) {
            self.propagation.push((propagation, Depth::Top));
        } else if let Some(propagation) = word.strip_prefix('r').and_then(self::propagation) {
            self.propagation.push((propagation, Depth::Tree));
        } else if let Some((name, on)) = superblock(word) {
            self.superblock.retain(|other| *other != name);
            self.superblock.extend(on.then_some(name));
        } else {
            self.data.push(match word.split_once('=') {
                Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
                None => (word.to_owned(), None),
            });
        }
    }

    /// Attributes of a newly made mount, which has nothing below it.
    pub(super) fn fresh(&self) -> Attr {
        self.deep.merged(self.top).set
    }

    /// Whether changes have to reach the peers of the source, so that the mount must be copied before they part ways.
    pub(super) fn is_shared(&self) -> bool {
        self.propagation
            .iter()
            .any(|(kind, _)| *kind == Propagation::SHARED)
    }
}

fn change(word: &str) -> Option<Change> {
    let set = |set| {
        Some(Change {
            set,
            clear: Attr::empty(),
        })
    };
    let clear = |clear| {
        Some(Change {
            set: Attr::empty(),
            clear,
        })
    };
    let atime = |set| {
        Some(Change {
            set,
            clear: Attr::MOUNT_ATTR__ATIME - set,
        })
    };
    match word {
        "ro" => set(Attr::MOUNT_ATTR_RDONLY),
        "rw" => clear(Attr::MOUNT_ATTR_RDONLY),
        "nosuid" => set(Attr::MOUNT_ATTR_NOSUID),
        "suid" => clear(Attr::MOUNT_ATTR_NOSUID),
        "nodev" => set(Attr::MOUNT_ATTR_NODEV),
        "dev" => clear(Attr::MOUNT_ATTR_NODEV),
        "noexec" => set(Attr::MOUNT_ATTR_NOEXEC),
        "exec" => clear(Attr::MOUNT_ATTR_NOEXEC),
        "nosymfollow" => set(Attr::MOUNT_ATTR_NOSYMFOLLOW),
        "symfollow" => clear(Attr::MOUNT_ATTR_NOSYMFOLLOW),
        "nodiratime" => set(Attr::MOUNT_ATTR_NODIRATIME),
        "diratime" => clear(Attr::MOUNT_ATTR_NODIRATIME),
        "noatime" => atime(Attr::MOUNT_ATTR_NOATIME),
        "strictatime" => atime(Attr::MOUNT_ATTR_STRICTATIME),
        // relatime is 0, the kernel's own choice, and so what the others fall back to.
        "relatime" | "norelatime" | "atime" | "nostrictatime" => atime(Attr::empty()),
        _ => None,
    }
}

fn propagation(word: &str) -> Option<Propagation> {
    match word {
        "shared" => Some(Propagation::SHARED),
        "slave" => Some(Propagation::DOWNSTREAM),
        "private" => Some(Propagation::PRIVATE),
        "unbindable" => Some(Propagation::UNBINDABLE),
        _ => None,
    }
}

fn superblock(word: &str) -> Option<(&'static str, bool)> {
    match word {
        "sync" => Some(("sync", true)),
        "async" => Some(("sync", false)),
        "dirsync" => Some(("dirsync", true)),
        "lazytime" => Some(("lazytime", true)),
        "nolazytime" => Some(("lazytime", false)),
        "mand" => Some(("mand", true)),
        "nomand" => Some(("mand", false)),
        _ => None,
    }
}

/// Every word that has a meaning here and is not handed to the file system, for the features document.
#[must_use]
pub fn mount_option_names() -> Vec<String> {
    const ATTRIBUTES: [&str; 17] = [
        "ro",
        "rw",
        "nosuid",
        "suid",
        "nodev",
        "dev",
        "noexec",
        "exec",
        "nosymfollow",
        "symfollow",
        "nodiratime",
        "diratime",
        "noatime",
        "atime",
        "strictatime",
        "nostrictatime",
        "relatime",
    ];
    const PROPAGATION: [&str; 4] = ["shared", "slave", "private", "unbindable"];
    const OTHERS: [&str; 17] = [
        "async",
        "bind",
        "defaults",
        "dirsync",
        "idmap",
        "iversion",
        "lazytime",
        "loud",
        "mand",
        "noiversion",
        "nolazytime",
        "nomand",
        "norelatime",
        "remount",
        "silent",
        "sync",
        "tmpcopyup",
    ];
    let with_deep = ATTRIBUTES.iter().chain(&PROPAGATION);
    let mut names: Vec<String> = with_deep
        .flat_map(|name| [(*name).to_owned(), format!("r{name}")])
        .chain(OTHERS.map(str::to_owned))
        .chain(["rbind".to_owned(), "ridmap".to_owned()])
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(words: &str) -> MountOptions {
        MountOptions::parse(&words.split(',').collect::<Vec<_>>())
    }

    #[test]
    fn the_names_given_out_are_understood() {
        for name in mount_option_names() {
            assert_eq!(parse(&name).data, [], "{name}");
        }
        assert_eq!(parse("size=1").data.len(), 1);
    }

    #[test]
    fn words_are_sorted() {
        let options = parse(
            "rbind,ro,rnosuid,rprivate,noexec,exec,strictatime,sync,async,lazytime,size=64k,newinstance",
        );
        assert_eq!(options.bind, Some(Depth::Tree));
        assert_eq!(
            options.top.set,
            Attr::MOUNT_ATTR_RDONLY | Attr::MOUNT_ATTR_STRICTATIME
        );
        assert!(
            options
                .top
                .clear
                .contains(Attr::MOUNT_ATTR_NOEXEC | Attr::MOUNT_ATTR_NOATIME)
        );
        assert_eq!(options.deep.set, Attr::MOUNT_ATTR_NOSUID);
        assert_eq!(options.propagation, [(Propagation::PRIVATE, Depth::Tree)]);
        assert_eq!(options.superblock, ["lazytime"]);
        let data = [
            ("size".to_owned(), Some("64k".to_owned())),
            ("newinstance".to_owned(), None),
        ];
        assert_eq!(options.data, data);
    }

    #[test]
    fn the_last_word_wins() {
        assert_eq!(parse("ro,rw").top.set, Attr::empty());
        assert_eq!(parse("rw,ro").top.set, Attr::MOUNT_ATTR_RDONLY);
        assert_eq!(parse("noatime,relatime").top.set, Attr::empty());
        assert_eq!(
            parse("strictatime,noatime").top.set,
            Attr::MOUNT_ATTR_NOATIME
        );
        assert_eq!(parse("rbind,bind").bind, Some(Depth::Tree));
    }

    #[test]
    fn words_that_begin_with_r_are_not_all_recursive() {
        for word in ["relatime", "rw", "ro", "remount"] {
            assert!(
                parse(word).deep == Change::NONE && parse(word).data.is_empty(),
                "{word}"
            );
        }
        assert_eq!(parse("rrelatime").deep.clear, Attr::MOUNT_ATTR__ATIME);
        assert_eq!(parse("rro").deep.set, Attr::MOUNT_ATTR_RDONLY);
        assert_eq!(parse("rrw").deep.clear, Attr::MOUNT_ATTR_RDONLY);
    }

    proptest! {
        /// No list of words panics, nothing but the policy of access times is both set and cleared, and what is unknown arrives whole.
        #[test]
        fn any_list_is_sorted(words in proptest::collection::vec(
            "(r?(ro|rw|nosuid|suid|noexec|exec|noatime|relatime|strictatime|nodiratime|private|shared|slave)|r?bind|[a-z=]{0,9})", 0..12)) {
            let options = MountOptions::parse(&words);
            for change in [options.top, options.deep] {
                prop_assert!((change.set & change.clear).is_empty());
                prop_assert!((change.set & Attr::MOUNT_ATTR__ATIME).bits().count_ones() <= 1);
            }
            for (key, value) in &options.data {
                let word = value.as_ref().map_or(key.clone(), |value| format!("{key}={value}"));
                prop_assert!(words.contains(&word));
            }
        }
    }
}
