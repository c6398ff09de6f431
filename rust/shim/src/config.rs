//! `shim.json`: what a supervisor must know that an OCI bundle does not say (ARCHITECTURE.md, "shim.json").

use std::path::{Path, PathBuf};

use pyctr_runtime::Overlay;
use serde::Deserialize;

use crate::failure::Failure;

/// The file's name in the bundle.
pub const FILE: &str = "shim.json";

/// The parsed file.
#[derive(Debug, Deserialize)]
pub struct Config {
    /// The container's id.
    pub id: String,
    /// Where to log, `None` for no log.
    #[serde(default)]
    pub log: Option<LogConfig>,
    /// Where the exit record goes.
    pub exit_file: PathBuf,
    /// Whether attached clients can send input.
    #[serde(default)]
    pub stdin: bool,
    /// Whether the input ends when the first attached client ends it or leaves.
    #[serde(default)]
    pub stdin_once: bool,
    /// An overlay to mount as root file system, `None` for `root.path` of config.json.
    #[serde(default)]
    pub rootfs: Option<Rootfs>,
    /// A user to resolve in the container's own files; empty keeps `process.user`.
    #[serde(default)]
    pub user: String,
    /// Whether to make a missing working directory.
    #[serde(default)]
    pub create_cwd: bool,
    /// A reaper to run as pid 1.
    #[serde(default)]
    pub init: Option<PathBuf>,
}

/// A json-file log.
#[derive(Debug, Deserialize)]
pub struct LogConfig {
    /// The current file; older ones get `.1`, `.2`, … appended.
    pub path: PathBuf,
    /// Bytes after which a new file is begun, 0 for never.
    #[serde(default)]
    pub max_size: u64,
    /// How many files are kept, the current one included.
    #[serde(default = "one")]
    pub max_file: u32,
}

fn one() -> u32 {
    1
}

/// A root file system to mount.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rootfs {
    /// overlayfs.
    Overlay(Overlay),
}

impl Config {
    /// Read `shim.json` of the bundle; the error names the field that is wrong.
    pub fn read(bundle: &Path) -> Result<Self, Failure> {
        let path = bundle.join(FILE);
        let text = std::fs::read(&path)
            .map_err(|error| Failure::engine(format!("reading {}: {error}", path.display())))?;
        Self::parse(&text)
            .map_err(|error| Failure::engine(format!("reading {}: {error}", path.display())))
    }

    fn parse(text: &[u8]) -> Result<Self, serde_path_to_error::Error<serde_json::Error>> {
        serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_slice(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keys_have_defaults() {
        let config = Config::parse(
            br#"{"id": "c", "exit_file": "/x/exit.json", "log": {"path": "/x/log"}}"#,
        )
        .expect("valid");
        assert!(!config.stdin && !config.stdin_once && !config.create_cwd);
        assert!(config.rootfs.is_none() && config.init.is_none() && config.user.is_empty());
        let log = config.log.expect("log");
        assert_eq!((log.max_size, log.max_file), (0, 1));
    }

    #[test]
    fn error_names_the_field() {
        let error = Config::parse(br#"{"id": "c", "exit_file": "/x", "log": {"path": 7}}"#)
            .expect_err("invalid");
        assert!(error.to_string().starts_with("log.path: "), "{error}");
    }

    #[test]
    fn overlay_is_understood() {
        let text = br#"{"id": "c", "exit_file": "/x", "rootfs": {"overlay": {"lower": ["/a", "/b"], "upper": "/u", "work": "/w"}}}"#;
        let Some(Rootfs::Overlay(overlay)) = Config::parse(text).expect("valid").rootfs else {
            panic!("no overlay")
        };
        assert_eq!(overlay.lower, [Path::new("/a"), Path::new("/b")]);
    }
}
