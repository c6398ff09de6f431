//! `update`.

use std::io::Read as _;

use pyctr_cgroup::Resources;
use pyctr_runtime::Container;
use serde_json::{Map, Value, json};

use super::{Context, Failure, Outcome, args::Flag, args::Parsed, container_id};

/// The options of `update`.
pub const FLAGS: [Flag; 15] = [
    Flag::value(
        &["resources", "r"],
        "FILE",
        "take all of it from this JSON file, - for standard input",
    ),
    Flag::value(&["memory"], "BYTES", "memory limit"),
    Flag::value(&["memory-reservation"], "BYTES", "soft memory limit"),
    Flag::value(
        &["memory-swap"],
        "BYTES",
        "memory and swap together; -1 for no limit",
    ),
    Flag::value(&["pids-limit"], "N", "how many processes there may be"),
    Flag::value(
        &["cpu-share"],
        "N",
        "share of the processors, relative to others",
    ),
    Flag::value(&["cpu-period"], "USEC", "period of the hard limit"),
    Flag::value(
        &["cpu-quota"],
        "USEC",
        "time on the processors in each period",
    ),
    Flag::value(
        &["cpu-burst"],
        "USEC",
        "time that may be saved up for bursts",
    ),
    Flag::value(&["cpu-rt-period"], "USEC", "period of the real-time limit"),
    Flag::value(
        &["cpu-rt-runtime"],
        "USEC",
        "real-time on the processors in each period",
    ),
    Flag::value(&["cpu-idle"], "0|1", "only run when nobody else wants to"),
    Flag::value(&["cpuset-cpus"], "LIST", "processors it may use"),
    Flag::value(&["cpuset-mems"], "LIST", "memory nodes it may use"),
    Flag::value(
        &["blkio-weight"],
        "10-1000",
        "share of block devices, relative to others",
    ),
];

/// Where each number goes in the specification's `resources`.
const NUMBERS: [(&str, &str, &str); 12] = [
    ("memory", "memory", "limit"),
    ("memory-reservation", "memory", "reservation"),
    ("memory-swap", "memory", "swap"),
    ("pids-limit", "pids", "limit"),
    ("cpu-share", "cpu", "shares"),
    ("cpu-period", "cpu", "period"),
    ("cpu-quota", "cpu", "quota"),
    ("cpu-burst", "cpu", "burst"),
    ("cpu-rt-period", "cpu", "realtimePeriod"),
    ("cpu-rt-runtime", "cpu", "realtimeRuntime"),
    ("cpu-idle", "cpu", "idle"),
    ("blkio-weight", "blockIO", "weight"),
];

/// Changes the limits of a container; what is not named stays as it is.
pub fn update(context: &Context, parsed: &Parsed) -> Outcome {
    let container = Container::open(&context.root, container_id(parsed)?)?;
    let document = match parsed.get("resources") {
        Some(file) => read(file)?,
        None => from_options(parsed)?,
    };
    let resources: Resources = serde_json::from_value(document)
        .map_err(|error| Failure::new(format!("resources: {error}")))?;
    container.update(&resources)?;
    Ok(0)
}

fn read(file: &str) -> Result<Value, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("cannot read {file}: {error}"));
    let text = if file == "-" {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map_err(failed)?;
        text
    } else {
        std::fs::read(file).map_err(failed)?
    };
    serde_json::from_slice(&text).map_err(|error| Failure::new(format!("{file}: {error}")))
}

fn from_options(parsed: &Parsed) -> Result<Value, Failure> {
    let mut document = json!({});
    for (option, group, key) in NUMBERS {
        let number = if group == "memory" {
            parsed
                .get(option)
                .map(|text| bytes(option, text))
                .transpose()?
        } else {
            parsed.number::<i64>(option)?
        };
        if let Some(number) = number {
            insert(&mut document, group, key, number.into());
        }
    }
    for (option, key) in [("cpuset-cpus", "cpus"), ("cpuset-mems", "mems")] {
        if let Some(list) = parsed.get(option) {
            insert(&mut document, "cpu", key, list.into());
        }
    }
    Ok(document)
}

/// Reads a number of bytes, which may be of 1024, 1024² or 1024³ each: `50m`, `1G`; -1 stands for no limit.
fn bytes(option: &str, text: &str) -> Result<i64, Failure> {
    let unit = text.to_ascii_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let scales = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];
    let (number, scale) = scales
        .iter()
        .find_map(|(letter, scale)| Some((unit.strip_suffix(letter)?, *scale)))
        .unwrap_or((unit, 1));
    let scaled = number
        .parse()
        .ok()
        .and_then(|number: i64| number.checked_mul(scale));
    scaled.ok_or_else(|| {
        Failure::new(format!(
            "invalid value \"{text}\" for --{option}: not a number of bytes such as 52428800 or 50m"
        ))
    })
}

fn insert(document: &mut Value, group: &str, key: &str, value: Value) {
    if document[group].is_null() {
        document[group] = Value::Object(Map::new());
    }
    document[group][key] = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bytes() {
        let read = |text| bytes("memory", text).ok();
        for (text, number) in [
            ("-1", -1),
            ("52428800", 50 << 20),
            ("50m", 50 << 20),
            ("50MB", 50 << 20),
            ("1k", 1024),
            ("2G", 2 << 30),
            ("7b", 7),
        ] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["", "m", "1.5m", "1t", "9999999999g", "1 m"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
