//! Exit records: how a program ended, kept in a file for whoever comes next.

use std::{
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use serde::Serialize;

/// The document of `exit.json` and of EXIT frames.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExitRecord {
    /// The program's exit code, or 128 plus the signal that ended it.
    pub exit_code: i32,
    /// Whether the kernel's out-of-memory killer struck in this container.
    pub oom_killed: bool,
    /// The host's pid of the container's first process, 0 if there was none.
    pub pid: i32,
    /// RFC 3339; empty if the program never ran.
    pub started_at: String,
    /// RFC 3339.
    pub finished_at: String,
    /// Why the program did not run, empty if it did.
    pub error: String,
}

/// The document of `exec-<id>.json` and of an exec's EXIT frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExecRecord {
    /// The program's exit code, or 128 plus the signal that ended it.
    pub exit_code: i32,
    /// The host's pid it had.
    pub pid: i32,
    /// RFC 3339.
    pub started_at: String,
    /// RFC 3339.
    pub finished_at: String,
}

/// Put `document` at `path`, all or nothing.
///
/// Written beside and renamed, but not synced: the record says how a process ended, and after a power failure every process has
/// ended with the boot id as witness, so waiting for a disk at each exit would buy nothing. A reader takes an empty file for none.
pub fn write(path: &Path, document: &impl Serialize) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let text = serde_json::to_vec(document)?;
    let result =
        write_new(temporary.as_ref(), &text).and_then(|()| std::fs::rename(&temporary, path));
    if result.is_err() {
        // A half-written file is of use to nobody and may hold the last free block.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
        .open(path)?;
    file.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(error: &str) -> ExitRecord {
        ExitRecord {
            exit_code: 137,
            oom_killed: true,
            pid: 4242,
            started_at: "2026-01-01T00:00:00Z".into(),
            finished_at: "2026-01-01T00:00:01.5Z".into(),
            error: error.into(),
        }
    }

    #[test]
    fn replaces_what_was_there() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("exit.json");
        write(&path, &record("first")).expect("written");
        write(&path, &record("")).expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        assert_eq!(
            text,
            r#"{"exit_code":137,"oom_killed":true,"pid":4242,"started_at":"2026-01-01T00:00:00Z","finished_at":"2026-01-01T00:00:01.5Z","error":""}"#
        );
        assert_eq!(std::fs::read_dir(dir.path()).expect("dir").count(), 1);
    }

    #[test]
    fn failure_leaves_the_old_record_and_no_other_file() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("exit.json");
        std::fs::create_dir(&path).expect("a directory cannot be replaced by a file");
        write(&path, &record("")).expect_err("refused");
        assert_eq!(std::fs::read_dir(dir.path()).expect("dir").count(), 1);
    }
}
