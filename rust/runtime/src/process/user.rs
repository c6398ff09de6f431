//! docker's `--user` and the image's `USER`, looked up in the container's own `/etc/passwd` and `/etc/group`.
//!
//! Both files are the image's: they are read through a directory that cannot be left, and only so far.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    os::fd::OwnedFd,
    path::Path,
};

use pyctr_sys::root::{Links, Root};
use rustix::fs::{FileType, Mode, OFlags, PROC_SUPER_MAGIC, fstat, fstatfs};

use crate::{
    error::{Error, Kind, Result},
    spec::User,
};

/// How much of each file is read, and how long a line may be.
const MAX_FILE: u64 = 16 << 20;
const MAX_LINE: usize = 1 << 20;
/// Ids above cannot be given as numbers: docker's limit, and some tools' (CVE-2024-40635).
const MAX_ID: u32 = (1 << 31) - 1;

/// What the container's files say about a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) user: User,
    /// Home directory, where the user is known.
    pub(crate) home: Option<String>,
}

/// The lines of a file of accounts, too long ones left out.
struct Table(Vec<String>);

impl Table {
    fn read(root: &Root, path: &str) -> Result<Self> {
        let failed = |error| Error::setup(format!("cannot read {path} of the container"), error);
        let file = match open(root, Path::new(path)) {
            Ok(Some(file)) => file,
            Ok(None) => {
                return Err(Error::new(
                    Kind::Invalid,
                    format!("{path} of the container is not a regular file"),
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self(Vec::new())),
            Err(error) => return Err(failed(error)),
        };
        let mut lines = Vec::new();
        for line in BufReader::new(file.take(MAX_FILE)).split(b'\n') {
            let line = line.map_err(failed)?;
            if line.len() <= MAX_LINE {
                lines.push(String::from_utf8_lossy(&line).trim().to_owned());
            }
        }
        Ok(Self(lines))
    }

    #[cfg(test)]
    fn parse(text: &str) -> Self {
        Self(text.lines().map(str::to_owned).collect())
    }

    fn entries(&self) -> impl Iterator<Item = Vec<&str>> {
        self.0
            .iter()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| line.split(':').collect())
    }
}

/// Opens a file of the image's; nothing if it is not a plain one. That is looked at before and after: to open a device is to do
/// something to it already, and what procfs calls regular files may be the host's kernel log, which reading uses up.
fn open(root: &Root, path: &Path) -> io::Result<Option<File>> {
    if !is_plain(&root.place(path, Links::Follow)?)? {
        return Ok(None);
    }
    // Non-blocking, so that a FIFO that was put there meanwhile cannot hold us up.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = root.open(path, flags, Mode::empty())?;
    Ok(is_plain(&file)?.then(|| File::from(file)))
}

fn is_plain(file: &OwnedFd) -> io::Result<bool> {
    let regular = FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::RegularFile;
    Ok(regular && fstatfs(file)?.f_type != PROC_SUPER_MAGIC)
}

/// One line of `/etc/passwd`.
struct Passwd {
    name: String,
    uid: u32,
    gid: u32,
    home: String,
}

impl Table {
    fn user(&self, matches: impl Fn(&Passwd) -> bool) -> Option<Passwd> {
        self.entries()
            .filter_map(|fields| {
                let [name, _, uid, gid, rest @ ..] = fields.as_slice() else {
                    return None;
                };
                Some(Passwd {
                    name: (*name).to_owned(),
                    uid: uid.parse().ok()?,
                    gid: gid.parse().ok()?,
                    home: rest.get(1).copied().unwrap_or_default().to_owned(),
                })
            })
            .find(matches)
    }

    /// The id of the group with this name.
    fn group(&self, wanted: &str) -> Option<u32> {
        self.entries().find_map(|fields| match fields.as_slice() {
            [name, _, gid, ..] if *name == wanted => gid.parse().ok(),
            _ => None,
        })
    }

    /// The ids of all groups that list this member.
    fn groups_of(&self, member: &str) -> Vec<u32> {
        self.entries()
            .filter_map(|fields| match fields.as_slice() {
                [_, _, gid, members, ..] if members.split(',').any(|name| name == member) => {
                    gid.parse().ok()
                }
                _ => None,
            })
            .collect()
    }
}

/// Looks up `text` (`""`, `user`, `user:group`, each a name or a number) in the file system at `root`; `base` gives the umask and
/// further groups, by number.
///
/// # Errors
/// [`Kind::Invalid`] with docker's words for an unknown name or a number out of range.
pub(crate) fn resolve(root: &Root, text: &str, base: &User) -> Result<Account> {
    let passwd = Table::read(root, "etc/passwd")?;
    let group = Table::read(root, "etc/group")?;
    lookup(text, base, &passwd, &group)
}

/// The home directory of a user id.
pub(crate) fn home_of(root: &Root, uid: u32) -> Result<Option<String>> {
    let passwd = Table::read(root, "etc/passwd")?;
    Ok(passwd
        .user(|user| user.uid == uid)
        .map(|user| user.home)
        .filter(|home| !home.is_empty()))
}

fn lookup(text: &str, base: &User, passwd: &Table, group: &Table) -> Result<Account> {
    let (user_text, group_text) = match text.split_once(':') {
        Some((user, group)) => (user, group),
        None => (text, ""),
    };
    let number = numeric(user_text)?;
    let known = match (user_text, number) {
        ("", _) => passwd.user(|user| user.uid == 0),
        (_, Some(uid)) => passwd.user(|user| user.uid == uid),
        (name, None) => Some(passwd.user(|user| user.name == name).ok_or_else(|| {
            Error::new(
                Kind::Invalid,
                format!("unable to find user {name}: no matching entries in passwd file"),
            )
        })?),
    };
    let uid = number.or(known.as_ref().map(|user| user.uid)).unwrap_or(0);
    let mut groups = base.additional_gids.clone();
    let gid = if group_text.is_empty() {
        // Only a user without an explicit group is in the groups of /etc/group.
        if let Some(user) = &known {
            groups.extend(group.groups_of(&user.name));
        }
        known.as_ref().map_or(0, |user| user.gid)
    } else {
        match numeric(group_text)? {
            Some(gid) => gid,
            None => group.group(group_text).ok_or_else(|| {
                Error::new(
                    Kind::Invalid,
                    format!("unable to find group {group_text}: no matching entries in group file"),
                )
            })?,
        }
    };
    // The image's files count no more than numbers: above all, 2^32 - 1 would mean "as before" to setresuid(2), which is root.
    in_range(uid, uid)?;
    in_range(gid, gid)?;
    let mut seen = std::collections::BTreeSet::new();
    groups.retain(|gid| *gid <= MAX_ID && seen.insert(*gid));
    Ok(Account {
        user: User {
            uid,
            gid,
            additional_gids: groups,
            umask: base.umask,
        },
        home: known.map(|user| user.home).filter(|home| !home.is_empty()),
    })
}

/// Text of digits as an id; other text is a name.
fn numeric(text: &str) -> Result<Option<u32>> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    in_range(text.parse().unwrap_or(u32::MAX), text).map(Some)
}

/// The id, if docker takes it; `said` is how it was given.
fn in_range(id: u32, said: impl std::fmt::Display) -> Result<u32> {
    if id <= MAX_ID {
        return Ok(id);
    }
    Err(Error::new(
        Kind::Invalid,
        format!("uids and gids must be in range 0-{MAX_ID}, not {said}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n# a comment\nwww-data:x:33:33:www:/var/www:/bin/false\n\
                          broken line\n1000:x:77:77:digits:/digits:/bin/sh\njoe:x:1000:1000::/home/joe:/bin/sh\nshort:x:5:5\n\
                          same:x:4294967295:5::/:\nhigh:x:5:2147483648::/:\n";
    const GROUP: &str =
        "root:x:0:\nadm:x:4:joe,www-data\nstaff:x:50:joe\nlone:x:60\nsame:x:4294967295:joe\n";

    fn find(text: &str) -> std::result::Result<Account, String> {
        let base = User {
            additional_gids: vec![9, 4],
            ..User::default()
        };
        lookup(text, &base, &Table::parse(PASSWD), &Table::parse(GROUP))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn names_numbers_and_groups() {
        type Case = (&'static str, u32, u32, &'static [u32], Option<&'static str>);
        let cases: [Case; 9] = [
            ("", 0, 0, &[9, 4], Some("/root")),
            ("root", 0, 0, &[9, 4], Some("/root")),
            ("joe", 1000, 1000, &[9, 4, 50], Some("/home/joe")),
            ("joe:staff", 1000, 50, &[9, 4], Some("/home/joe")),
            ("1000", 1000, 1000, &[9, 4, 50], Some("/home/joe")),
            ("4242", 4242, 0, &[9, 4], None),
            ("4242:4343", 4242, 4343, &[9, 4], None),
            ("www-data:4343", 33, 4343, &[9, 4], Some("/var/www")),
            ("short", 5, 5, &[9, 4], None),
        ];
        for (text, uid, gid, groups, home) in cases {
            let account = find(text).expect(text);
            assert_eq!((account.user.uid, account.user.gid), (uid, gid), "{text}");
            assert_eq!(account.user.additional_gids, groups, "{text}");
            assert_eq!(account.home.as_deref(), home, "{text}");
        }
    }

    #[test]
    fn unknown_names_are_errors_in_dockers_words() {
        assert_eq!(
            find("moon").expect_err("unknown"),
            "unable to find user moon: no matching entries in passwd file"
        );
        assert_eq!(
            find("joe:moon").expect_err("unknown"),
            "unable to find group moon: no matching entries in group file"
        );
    }

    #[test]
    fn digits_are_never_a_name_and_never_wrap() {
        assert_eq!(find("1000").expect("number").user.uid, 1000);
        assert!(
            find("2147483648")
                .expect_err("too large")
                .starts_with("uids and gids must be in range")
        );
        for text in ["same", "high", "joe:same"] {
            assert!(
                find(text)
                    .expect_err("too large")
                    .starts_with("uids and gids must be in range"),
                "{text}"
            );
        }
        assert!(
            find("0:99999999999999999999")
                .expect_err("too large")
                .starts_with("uids and gids must be in range")
        );
    }
}
