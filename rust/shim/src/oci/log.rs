//! `--log` and `--log-format`: where an engine that calls the runtime looks for the reason of a failure.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// `time="…" level=… msg="…"`, as logrus prints.
    Text,
    /// One JSON object a line, as logrus prints.
    Json,
}

/// The log of one command.
#[derive(Debug)]
pub struct Log {
    path: Option<PathBuf>,
    format: Format,
    /// Tell what is being done, too.
    debug: bool,
}

#[derive(Serialize)]
struct Line<'a> {
    level: &'a str,
    msg: &'a str,
    time: &'a str,
}

impl Log {
    /// A log to `path` (none: only standard error) in the named format.
    ///
    /// # Errors
    /// A sentence that names the format if it is not known, or the file if it cannot be opened.
    pub fn new(path: Option<&str>, format: Option<&str>, debug: bool) -> Result<Self, String> {
        let format = match format.unwrap_or("text") {
            "text" => Format::Text,
            "json" => Format::Json,
            other => return Err(format!("unknown log format \"{other}\": text or json")),
        };
        let path = path.map(PathBuf::from);
        if let Some(path) = &path {
            // Not kept open: descriptors of ours come after those that the caller hands on.
            open(path)
                .map_err(|error| format!("cannot open the log {}: {error}", path.display()))?;
        }
        Ok(Self {
            path,
            format,
            debug,
        })
    }

    /// Whether messages go to a file.
    pub fn has_file(&self) -> bool {
        self.path.is_some()
    }

    /// Reports a failure on standard error and in the log.
    pub fn error(&self, message: &str) {
        eprintln!("pyctr-oci: {message}");
        self.write("error", message);
    }

    /// Reports something that was given way on.
    pub fn warning(&self, message: &str) {
        if self.path.is_none() {
            eprintln!("pyctr-oci: warning: {message}");
        }
        self.write("warning", message);
    }

    /// Whether anybody wants to read [`debug`](Self::debug).
    pub fn debugs(&self) -> bool {
        self.debug
    }

    /// Tells what is being done, with `--debug`.
    pub fn debug(&self, message: &str) {
        if !self.debug {
            return;
        }
        if self.path.is_none() {
            eprintln!("{}", self.line("debug", message));
        }
        self.write("debug", message);
    }

    /// A log that cannot be written must not change what the command does.
    fn write(&self, level: &str, msg: &str) {
        let Some(path) = &self.path else { return };
        let _ = open(path).and_then(|mut file| writeln!(file, "{}", self.line(level, msg)));
    }

    fn line(&self, level: &str, msg: &str) -> String {
        let time = &pyctr_runtime::clock::WallTime::now().to_string();
        match self.format {
            Format::Text => format!("time={time:?} level={level} msg={msg:?}"),
            Format::Json => serde_json::to_string(&Line { level, msg, time }).unwrap_or_default(),
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}
