//! The container's log: docker's json-file format.

mod file;
mod json;
mod lines;

use crate::config::LogConfig;
use file::LogFile;
use lines::Lines;
use pyctr_runtime::clock::WallTime;

/// Entries are collected up to this many bytes before they are written.
const BATCH: usize = 128 * 1024;

/// Where output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, or the terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A log being written. Nothing here fails or waits: what cannot be written is dropped and counted.
#[derive(Debug)]
pub struct Log {
    lines: [Lines; 2],
    writer: Writer,
}

impl Log {
    /// The log that `config` describes.
    pub fn new(config: &LogConfig) -> Self {
        Self {
            lines: Default::default(),
            writer: Writer {
                file: LogFile::new(config),
                batch: Vec::new(),
            },
        }
    }

    /// Log `output`.
    pub fn write(&mut self, stream: Stream, output: &[u8]) {
        let now = WallTime::now().to_string();
        let tail = json::tail(stream.name(), &now);
        let Self { lines, writer } = self;
        lines[stream as usize].push(output, &now, |entry| writer.entry(stream, &entry, &tail));
        writer.flush();
    }

    /// Log what is left of an unfinished line.
    pub fn finish(&mut self) {
        let tails = [Stream::Stdout, Stream::Stderr].map(|stream| {
            (
                stream,
                json::tail(stream.name(), &WallTime::now().to_string()),
            )
        });
        for (stream, tail) in tails {
            let Self { lines, writer } = self;
            lines[stream as usize].finish(|entry| writer.entry(stream, &entry, &tail));
        }
        self.writer.flush();
    }

    /// Bytes that could not be written since the start.
    pub fn dropped(&self) -> u64 {
        self.writer.file.dropped()
    }

    /// Give memory back.
    pub fn shrink(&mut self) {
        self.writer.batch = Vec::new();
        for lines in &mut self.lines {
            lines.shrink();
        }
    }
}

/// Entries on their way to the file.
#[derive(Debug)]
struct Writer {
    file: LogFile,
    batch: Vec<u8>,
}

impl Writer {
    fn entry(&mut self, stream: Stream, entry: &lines::Entry<'_>, tail: &[u8]) {
        let start = self.batch.len();
        match entry.time {
            None => json::append_entry(&mut self.batch, entry.text, entry.newline, tail),
            Some(time) => json::append_entry(
                &mut self.batch,
                entry.text,
                entry.newline,
                &json::tail(stream.name(), time),
            ),
        }
        if self.file.is_full(start, self.batch.len() - start) {
            let entry = self.batch.split_off(start);
            self.flush();
            self.file.rotate();
            self.batch = entry;
        } else if self.batch.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.file.append(&self.batch);
        self.batch.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn log(path: &Path, max_size: u64, max_file: u32) -> Log {
        Log::new(&LogConfig {
            path: path.to_owned(),
            max_size,
            max_file,
        })
    }

    fn texts(path: &Path) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(path).expect("log");
        let entries = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        entries
            .map(|entry| {
                (
                    entry["stream"].as_str().expect("stream").into(),
                    entry["log"].as_str().expect("log").into(),
                )
            })
            .collect()
    }

    #[test]
    fn streams_do_not_mix_within_a_line() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("log");
        let mut log = log(&path, 0, 1);
        log.write(Stream::Stdout, b"out");
        log.write(Stream::Stderr, b"err\nmore");
        log.write(Stream::Stdout, b"put\n");
        log.finish();
        let expected = [
            ("stderr", "err\n"),
            ("stdout", "output\n"),
            ("stderr", "more"),
        ];
        assert_eq!(
            texts(&path),
            expected.map(|(stream, text)| (stream.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn a_flood_stays_within_its_bound_and_every_file_is_whole_lines() {
        let dir = tempfile::tempdir().expect("tempdir");
        let path = dir.path().join("log");
        let mut log = log(&path, 100_000, 3);
        for _ in 0..50 {
            log.write(Stream::Stdout, &b"y\n".repeat(32 * 1024));
        }
        for name in ["log", "log.1", "log.2"] {
            let path = dir.path().join(name);
            assert!(path.metadata().expect("metadata").len() <= 100_000);
            assert!(texts(&path).iter().all(|(_, text)| text == "y\n"));
        }
        assert_eq!(log.dropped(), 0);
    }
}
