//! The log's file: bounded, rotated, and never a reason to stop.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use crate::config::LogConfig;

/// An append-only file of lines with an optional bound on its size.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    max_size: u64,
    max_file: u32,
    /// `None` while it cannot be opened; each append tries again.
    file: Option<File>,
    size: u64,
    dropped: u64,
}

impl LogFile {
    /// The log at `config.path`, which is continued if it exists.
    pub fn new(config: &LogConfig) -> Self {
        let LogConfig {
            ref path,
            max_size,
            max_file,
        } = *config;
        let mut log = Self {
            path: path.clone(),
            max_size,
            max_file,
            file: None,
            size: 0,
            dropped: 0,
        };
        log.reopen();
        log
    }

    /// Bytes that could not be written since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether a line of `length` bytes, after `before` bytes that are yet to be appended, exceeds the bound, so that
    /// [`Self::rotate`] should come between them. A file without any line takes a line of any length.
    pub fn is_full(&self, before: usize, length: usize) -> bool {
        let size = self.size + before as u64;
        self.max_size > 0 && size > 0 && size + length as u64 > self.max_size
    }

    /// Append whole lines. What cannot be written is counted and dropped; lines are never torn.
    pub fn append(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        if self.file.is_none() {
            self.reopen();
        }
        let Some(file) = &mut self.file else {
            self.dropped += lines.len() as u64;
            return;
        };
        let written = write_some(file, lines);
        let whole = if written == lines.len() {
            written
        } else {
            keep_whole_lines(file, self.size, &lines[..written])
        };
        self.size += whole as u64;
        self.dropped += (lines.len() - whole) as u64;
    }

    /// Begin a new file; the older ones move up by one and the oldest goes. With a single file it is emptied.
    pub fn rotate(&mut self) {
        let moved = self.max_file > 1 && self.shift().is_ok();
        if moved {
            self.file = None;
        } else if let Some(file) = &self.file {
            // Better an empty log than one that outgrows its bound.
            let _ = file.set_len(0);
        }
        self.reopen();
    }

    /// Each rename replaces the older file at once, so that a crash in between loses at most the oldest.
    fn shift(&self) -> io::Result<()> {
        for number in (1..self.max_file - 1).rev() {
            match std::fs::rename(
                numbered(&self.path, number),
                numbered(&self.path, number + 1),
            ) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&self.path, numbered(&self.path, 1))
    }

    fn reopen(&mut self) {
        if self.file.is_none() {
            self.file = open(&self.path).ok();
        }
        self.size = self
            .file
            .as_ref()
            .and_then(|file| file.metadata().ok())
            .map_or(0, |metadata| metadata.len());
    }
}

/// Non-blocking, in case somebody put a fifo there.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags(flags.bits() as i32)
        .open(path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// How much of `bytes` was written before the first error.
fn write_some(file: &mut File, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(count) => written += count,
        }
    }
    written
}

/// Cut a torn line off the end of the file; how many of the `written` bytes stay.
fn keep_whole_lines(file: &File, size_before: u64, written: &[u8]) -> usize {
    let whole = memchr::memrchr(b'\n', written).map_or(0, |end| end + 1);
    if whole < written.len() {
        let _ = file.set_len(size_before + whole as u64);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn config(path: &Path, max_size: u64, max_file: u32) -> LogConfig {
        LogConfig {
            path: path.to_owned(),
            max_size,
            max_file,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).expect("dir");
        let mut names: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("entry")
                    .file_name()
                    .into_string()
                    .expect("UTF-8")
            })
            .collect();
        names.sort();
        names
    }

    fn fill(log: &mut LogFile, lines: u32) {
        for number in 0..lines {
            let line = format!("line {number:04}\n");
            if log.is_full(0, line.len()) {
                log.rotate();
            }
            log.append(line.as_bytes());
        }
    }

    #[test]
    fn keeps_the_newest_files_within_their_size() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("log");
        fill(&mut LogFile::new(&config(&path, 100, 3)), 95);
        assert_eq!(names(dir.path()), ["log", "log.1", "log.2"]);
        assert_eq!(
            std::fs::read_to_string(&path).expect("log").lines().last(),
            Some("line 0094")
        );
        assert_eq!(
            std::fs::read_to_string(dir.path().join("log.2"))
                .expect("log.2")
                .lines()
                .next(),
            Some("line 0070")
        );
        for name in names(dir.path()) {
            let metadata = dir.path().join(name).metadata().expect("metadata");
            assert!(metadata.len() <= 100 && metadata.mode() & 0o777 == 0o640);
        }
    }

    #[test]
    fn one_file_is_emptied() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("log");
        fill(&mut LogFile::new(&config(&path, 100, 1)), 15);
        assert_eq!(names(dir.path()), ["log"]);
        assert_eq!(
            std::fs::read_to_string(&path).expect("log").lines().next(),
            Some("line 0010")
        );
    }

    #[test]
    fn continues_an_existing_log() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("log");
        fill(&mut LogFile::new(&config(&path, 100, 2)), 8);
        fill(&mut LogFile::new(&config(&path, 100, 2)), 8);
        assert_eq!(names(dir.path()), ["log", "log.1"]);
        assert_eq!(std::fs::read(&path).expect("log").len(), 60);
    }

    #[test]
    fn errors_are_counted_and_writing_resumes() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("later/log");
        let mut log = LogFile::new(&config(&path, 0, 1));
        log.append(b"lost\n");
        assert_eq!(log.dropped(), 5);
        std::fs::create_dir(dir.path().join("later")).expect("mkdir");
        log.append(b"kept\n");
        assert_eq!(
            (
                log.dropped(),
                std::fs::read_to_string(&path).expect("log").as_str()
            ),
            (5, "kept\n")
        );
    }

    #[test]
    fn a_full_device_drops_everything_and_a_fifo_blocks_nobody() {
        let mut log = LogFile::new(&config(Path::new("/dev/full"), 0, 1));
        log.append(b"lost\n");
        assert_eq!(log.dropped(), 5);
        let dir = tempfile::tempdir().expect("tempdir");
        let fifo = dir.path().join("fifo");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0)
            .expect("mkfifo");
        let mut log = LogFile::new(&config(&fifo, 0, 1));
        log.append(b"nobody reads\n");
        assert_eq!(log.dropped(), 13);
    }

    #[test]
    fn a_torn_line_is_cut_off() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("log");
        std::fs::write(&path, "old\nnew\nto").expect("written");
        let file = OpenOptions::new().append(true).open(&path).expect("open");
        assert_eq!(keep_whole_lines(&file, 4, b"new\nto"), 4);
        assert_eq!(std::fs::read_to_string(&path).expect("log"), "old\nnew\n");
    }
}
