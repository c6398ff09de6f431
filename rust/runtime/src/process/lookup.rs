//! Finding the program of `process.args[0]`, with the answers a shell's user knows.

use std::{
    ffi::CString,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Access, AtFlags, CWD, FileType, accessat, stat},
    io::Errno,
};

use crate::error::{Cause, Error, Kind};

/// Where programs are looked for when the environment does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The path to execute for `name`, in the file system and with the rights of the caller; `path` is the program's own `PATH`.
///
/// # Errors
/// [`Kind::CommandNotFound`] or [`Kind::NotExecutable`], in the words of other runtimes.
pub(crate) fn program(name: &str, path: Option<&str>) -> Result<CString, Error> {
    if name.contains('/') {
        return match executable(Path::new(name)) {
            Ok(()) => c_path(Path::new(name)),
            Err(Errno::NOENT) => Err(not_found(
                name,
                &format!("stat {name}: no such file or directory"),
            )),
            Err(errno) => Err(refused(name, errno)),
        };
    }
    let mut answer = None;
    for dir in path.unwrap_or(DEFAULT_PATH).split(':') {
        let candidate = if dir.is_empty() {
            PathBuf::from(".").join(name)
        } else {
            Path::new(dir).join(name)
        };
        match executable(&candidate) {
            Ok(()) => return c_path(&candidate),
            // A file that is there but may not be executed explains more than one that is nowhere.
            Err(errno @ (Errno::ACCESS | Errno::ISDIR)) => answer = answer.or(Some(errno)),
            Err(_) => {}
        }
    }
    match answer {
        Some(Errno::ACCESS) => Err(refused(name, Errno::ACCESS)),
        _ => Err(not_found(name, "executable file not found in $PATH")),
    }
}

/// What a failed `execve` of `path` means.
pub(crate) fn exec_error(path: &str, errno: Errno) -> Error {
    match errno {
        Errno::NOENT => Error::new(
            Kind::CommandNotFound,
            format!("exec {path}: no such file or directory (is its interpreter or loader there?)"),
        ),
        Errno::NOEXEC => Error::new(
            Kind::NotExecutable,
            format!("exec {path}: exec format error"),
        ),
        Errno::ACCESS | Errno::PERM | Errno::ISDIR | Errno::NOTDIR | Errno::LOOP => {
            refused(path, errno)
        }
        errno => Error::new(Kind::Setup, format!("exec {path:?}: {}", errno.describe())),
    }
}

fn not_found(name: &str, why: &str) -> Error {
    Error::new(Kind::CommandNotFound, format!("exec: {name:?}: {why}"))
}

fn refused(name: &str, errno: Errno) -> Error {
    Error::new(
        Kind::NotExecutable,
        format!("exec: {name:?}: {}", errno.describe()),
    )
}

/// Whether the file may be executed by the caller.
fn executable(path: &Path) -> Result<(), Errno> {
    let found = stat(path)?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(Errno::ISDIR),
        _ => return Err(Errno::ACCESS),
    }
    // Root may execute a file if anybody may.
    if found.st_mode & 0o111 == 0 {
        return Err(Errno::ACCESS);
    }
    match accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS) {
        // Kernels before 5.8 cannot ask for the effective ids; execve will.
        Err(Errno::NOSYS | Errno::INVAL) => Ok(()),
        other => other,
    }
}

fn c_path(path: &Path) -> Result<CString, Error> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| Error::new(Kind::Invalid, "the path of the program contains a NUL byte"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    fn message(name: &str, path: Option<&str>) -> (Kind, String) {
        let error = program(name, path).expect_err("not found");
        (error.kind(), error.to_string())
    }

    #[test]
    fn finds_and_refuses_as_others_do() {
        let dir = tempfile::tempdir().expect("a directory");
        let make = |name: &str, mode| {
            let path = dir.path().join(name);
            fs::write(&path, "#!/bin/sh\n").expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("mode");
            path.to_str().expect("UTF-8").to_owned()
        };
        let (good, plain) = (make("good", 0o755), make("plain", 0o644));
        let dirs = format!("/nonexistent:{}", dir.path().display());
        assert_eq!(
            program("good", Some(&dirs)).expect("found").to_str(),
            Ok(good.as_str())
        );
        assert_eq!(
            program(&good, None).expect("found").to_str(),
            Ok(good.as_str())
        );
        assert_eq!(
            message("foo", Some(&dirs)),
            (
                Kind::CommandNotFound,
                "exec: \"foo\": executable file not found in $PATH".into()
            )
        );
        assert_eq!(
            message(&plain, None),
            (
                Kind::NotExecutable,
                format!("exec: \"{plain}\": permission denied")
            )
        );
        assert_eq!(
            message("plain", Some(&dirs)),
            (
                Kind::NotExecutable,
                "exec: \"plain\": permission denied".into()
            )
        );
        assert_eq!(
            message("/", None),
            (Kind::NotExecutable, "exec: \"/\": is a directory".into())
        );
        assert_eq!(
            message("/no/x", None),
            (
                Kind::CommandNotFound,
                "exec: \"/no/x\": stat /no/x: no such file or directory".into()
            )
        );
    }
}
