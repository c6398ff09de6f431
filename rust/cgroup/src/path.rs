//! What `linux.cgroupsPath` may say, and the directory it means.

use std::path::{Component, Path, PathBuf};

use crate::{Error, Result};

/// How a `cgroupsPath` is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// A path, taken as it is.
    #[default]
    Cgroupfs,
    /// `slice:prefix:name`, the place systemd would give a scope of that name. The directories are made by us: systemd
    /// is not asked, so that the result is the same on machines that run without it.
    Systemd,
}

/// Where a group lies below the mount point of its hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// From the top.
    Absolute(PathBuf),
    /// From the group of the calling process.
    Relative(PathBuf),
}

impl Location {
    /// Reads a `cgroupsPath`.
    ///
    /// # Errors
    /// [`Error::Path`]: empty, the top itself, with `.` or `..`, or not of the driver's form.
    pub(crate) fn parse(text: &str, driver: Driver) -> Result<Self> {
        let fail = |reason| Error::Path {
            path: text.to_owned(),
            reason,
        };
        let path = match driver {
            Driver::Cgroupfs => text.to_owned(),
            Driver::Systemd => scope(text).map_err(fail)?,
        };
        let mut clean = PathBuf::new();
        for part in Path::new(&path).components() {
            match part {
                Component::RootDir | Component::CurDir => {}
                Component::Normal(name) => clean.push(name),
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(fail("may not contain .."));
                }
            }
        }
        if path.bytes().any(|byte| byte == 0 || byte == b'\n') {
            return Err(fail("may not contain a newline or a zero byte"));
        }
        if clean.as_os_str().is_empty() {
            return Err(fail("names no cgroup below the top"));
        }
        Ok(if path.starts_with('/') {
            Self::Absolute(clean)
        } else {
            Self::Relative(clean)
        })
    }
}

/// The driver that a document's `cgroupsPath` was written for: `a.slice:b:c` is nobody's directory name.
pub(crate) fn driver_of(text: &str) -> Driver {
    let systemd = !text.contains('/') && text.bytes().filter(|byte| *byte == b':').count() == 2;
    if systemd {
        Driver::Systemd
    } else {
        Driver::Cgroupfs
    }
}

/// `slice:prefix:name` as the path of systemd's scope.
fn scope(text: &str) -> std::result::Result<String, &'static str> {
    const FORM: &str = "is not of the form slice:prefix:name, which the systemd driver needs";
    let parts: Vec<&str> = text.split(':').collect();
    let &[slice, prefix, name] = parts.as_slice() else {
        return Err(FORM);
    };
    if name.is_empty() || text.contains('/') {
        return Err(FORM);
    }
    let unit = match (prefix, name.ends_with(".slice")) {
        (_, true) => name.to_owned(),
        ("", false) => format!("{name}.scope"),
        (prefix, false) => format!("{prefix}-{name}.scope"),
    };
    Ok(format!(
        "{}/{unit}",
        slice_path(if slice.is_empty() {
            "system.slice"
        } else {
            slice
        })?
    ))
}

/// A slice's directory, systemd.slice(5): `a-b.slice` lies in `a.slice`, and `-.slice` is the top.
fn slice_path(slice: &str) -> std::result::Result<String, &'static str> {
    let name = slice
        .strip_suffix(".slice")
        .ok_or("names a slice that does not end in .slice")?;
    if name == "-" {
        return Ok(String::new());
    }
    if name.split('-').any(str::is_empty) {
        return Err("names a slice with an empty part");
    }
    let ends = name
        .match_indices('-')
        .map(|(at, _)| at)
        .chain([name.len()]);
    Ok(ends.map(|end| format!("/{}.slice", &name[..end])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absolute(path: &str) -> Location {
        Location::Absolute(PathBuf::from(path))
    }

    #[test]
    fn plain_paths() {
        let parse = |text| Location::parse(text, Driver::Cgroupfs);
        assert_eq!(parse("/pyctr//x/").expect("fine"), absolute("pyctr/x"));
        assert_eq!(
            parse("a/b").expect("fine"),
            Location::Relative("a/b".into())
        );
        assert_eq!(
            parse("a:b:c").expect("fine"),
            Location::Relative("a:b:c".into())
        );
        for bad in ["", "/", ".", "/a/../..", "a\nb", "a\0"] {
            assert!(matches!(parse(bad), Err(Error::Path { .. })), "{bad:?}");
        }
    }

    #[test]
    fn systemd_paths() {
        let parse = |text| Location::parse(text, Driver::Systemd);
        assert_eq!(
            parse("system.slice:pyctr:x").expect("fine"),
            absolute("system.slice/pyctr-x.scope")
        );
        assert_eq!(
            parse("::x").expect("fine"),
            absolute("system.slice/x.scope")
        );
        assert_eq!(parse("-.slice:p:x").expect("fine"), absolute("p-x.scope"));
        assert_eq!(
            parse("a.slice:p:x.slice").expect("fine"),
            absolute("a.slice/x.slice")
        );
        let deep = "user-1000-app.slice:p:x";
        let place = "user.slice/user-1000.slice/user-1000-app.slice/p-x.scope";
        assert_eq!(parse(deep).expect("fine"), absolute(place));
        for bad in [
            "/a/b",
            "a.slice:x",
            "a.slice:p:",
            "a:p:x",
            "a--b.slice:p:x",
            "a.slice:p/q:x",
            "a.slice:..:/..",
        ] {
            assert!(matches!(parse(bad), Err(Error::Path { .. })), "{bad:?}");
        }
    }

    #[test]
    fn documents_say_their_driver_by_their_form() {
        assert_eq!(driver_of("a.slice:b:c"), Driver::Systemd);
        assert_eq!(driver_of("/pyctr/x"), Driver::Cgroupfs);
        assert_eq!(driver_of("/a:b:c"), Driver::Cgroupfs);
    }
}
