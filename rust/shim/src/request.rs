//! What clients ask for, in REQUEST, RESIZE and SIGNAL frames.

use pyctr_runtime::spec::Process;
use serde::{Deserialize, de::DeserializeOwned};

use crate::failure::Failure;

/// An operation on `shim.sock`.
#[derive(Debug)]
pub enum Request {
    /// The bundle is complete: start its container. Only from whoever spawned the supervisor.
    Start,
    /// Take part in the container's streams.
    Attach(Streams),
    /// Run another program in the container.
    Exec(Box<ExecRequest>),
    /// Tell when the container has ended.
    Wait,
    /// Send a signal.
    Signal(SignalRequest),
    /// Change the size of a terminal.
    Resize(ResizeRequest),
    /// What is running.
    State,
}

/// Which streams a client takes part in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Streams {
    /// It sends input.
    pub stdin: bool,
    /// It wants the output.
    pub stdout: bool,
    /// It wants the error output.
    pub stderr: bool,
}

/// `exec`.
#[derive(Debug, Deserialize)]
pub struct ExecRequest {
    /// Names this exec in later requests and its record; `[a-zA-Z0-9][a-zA-Z0-9_.-]*`.
    pub id: String,
    /// The program, as in config.json.
    pub process: Process,
    /// Whether it gets a terminal.
    #[serde(default)]
    pub tty: bool,
    /// Streams of the client that asks.
    #[serde(flatten)]
    pub streams: Streams,
    /// Whether the client only wants to know that it started.
    #[serde(default)]
    pub detach: bool,
    /// A user to resolve in the container's files; empty keeps `process.user`.
    #[serde(default)]
    pub user: String,
    /// Whether to make a missing working directory.
    #[serde(default)]
    pub create_cwd: bool,
}

/// `signal`, and with `exec` absent the payload of SIGNAL.
#[derive(Debug, Deserialize)]
pub struct SignalRequest {
    /// Its number.
    pub signal: i32,
    /// The exec it is for instead of the container.
    #[serde(default)]
    pub exec: Option<String>,
}

/// `resize`, and with `exec` absent the payload of RESIZE.
#[derive(Debug, Deserialize)]
pub struct ResizeRequest {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub cols: u16,
    /// The exec whose terminal is meant instead of the container's.
    #[serde(default)]
    pub exec: Option<String>,
}

impl Request {
    /// Understand the payload of a REQUEST frame; the error names what is wrong.
    pub fn parse(payload: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Operation {
            op: String,
        }
        let Operation { op } = parse(payload)?;
        match op.as_str() {
            "start" => Ok(Self::Start),
            "attach" => Ok(Self::Attach(parse(payload)?)),
            "exec" => Ok(Self::Exec(parse::<Box<ExecRequest>>(payload)?.checked()?)),
            "wait" => Ok(Self::Wait),
            "signal" => Ok(Self::Signal(parse(payload)?)),
            "resize" => Ok(Self::Resize(parse(payload)?)),
            "state" => Ok(Self::State),
            _ => Err(Failure::invalid(format!("no such operation: {op:?}"))),
        }
    }
}

impl ExecRequest {
    /// The id becomes part of a file name.
    fn checked(self: Box<Self>) -> Result<Box<Self>, Failure> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let valid = self.id.starts_with(|c: char| c.is_ascii_alphanumeric())
            && self.id.len() <= 128
            && self.id.chars().all(allowed);
        if valid {
            Ok(self)
        } else {
            Err(Failure::invalid(format!("not an exec id: {:?}", self.id)))
        }
    }
}

/// Understand a JSON payload.
pub fn parse<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(payload);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Failure::invalid(format!("request: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(payload: &str) -> String {
        Request::parse(payload.as_bytes())
            .expect_err("invalid")
            .message
    }

    #[test]
    fn understands_each_operation() {
        let parse = |text: &str| Request::parse(text.as_bytes()).expect("valid");
        let wanted = Streams {
            stdin: true,
            stdout: true,
            stderr: false,
        };
        assert!(
            matches!(parse(r#"{"op": "attach", "stdin": true, "stdout": true}"#), Request::Attach(streams) if streams == wanted)
        );
        assert!(matches!(
            parse(r#"{"op": "signal", "signal": 9}"#),
            Request::Signal(SignalRequest {
                signal: 9,
                exec: None
            })
        ));
        assert!(
            matches!(parse(r#"{"op": "resize", "rows": 24, "cols": 80, "exec": "e"}"#), Request::Resize(r) if r.exec.as_deref() == Some("e"))
        );
        assert!(matches!(parse(r#"{"op": "start"}"#), Request::Start));
        assert!(matches!(parse(r#"{"op": "wait"}"#), Request::Wait));
        assert!(matches!(parse(r#"{"op": "state"}"#), Request::State));
    }

    #[test]
    fn understands_exec() {
        let text = r#"{"op": "exec", "id": "e1", "stdout": true, "process": {"cwd": "/", "args": ["true"], "user": {"uid": 0, "gid": 0}}}"#;
        let Request::Exec(exec) = Request::parse(text.as_bytes()).expect("valid") else {
            panic!("not an exec")
        };
        assert!(exec.streams.stdout && !exec.streams.stdin && !exec.tty && !exec.detach);
    }

    #[test]
    fn errors_say_what_is_wrong() {
        assert_eq!(
            failure(r#"{"op": "dance"}"#),
            r#"no such operation: "dance""#
        );
        assert!(
            failure(r#"{"op": "resize", "rows": -1, "cols": 80}"#)
                .starts_with("request: rows: invalid value: integer `-1`")
        );
        let exec = r#"{"op": "exec", "id": "../x", "process": {"cwd": "/", "args": ["true"]}}"#;
        assert_eq!(failure(exec), r#"not an exec id: "../x""#);
    }
}
