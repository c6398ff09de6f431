//! `events`: statistics at an interval, and a line each time the container runs out of memory.

use std::{os::fd::AsFd, time::Duration};

use pyctr_cgroup::{Cgroup, OomEvent};
use pyctr_runtime::{Container, Status};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use serde_json::Value;

use super::{Context, Failure, Outcome, args::Flag, args::Parsed, container_id, print};

/// The options of `events`.
pub const FLAGS: [Flag; 2] = [
    Flag::value(
        &["interval"],
        "DURATION",
        "between statistics, such as 5s (default), 500ms or 1m",
    ),
    Flag::switch(&["stats"], "print the statistics once and end"),
];

/// One line, its keys in the order that readers of runc's know.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Value::is_null")]
    data: Value,
}

/// Prints one JSON document a line until the container ends.
pub fn events(context: &Context, parsed: &Parsed) -> Outcome {
    let interval = duration(parsed.get("interval").unwrap_or("5s"))?;
    let container = Container::open(&context.root, container_id(parsed)?)?;
    if container.status() == Status::Stopped {
        return Err(Failure::new(format!(
            "container {} is not running",
            container.id()
        )));
    }
    let missing = || Failure::new(format!("container {} has no cgroup", container.id()));
    let cgroup = container.cgroup()?.ok_or_else(missing)?;
    if parsed.is_set("stats") {
        emit(&container, "stats", stats(&cgroup)?)?;
        return Ok(0);
    }
    follow(&container, &cgroup, interval)
}

fn follow(container: &Container, cgroup: &Cgroup, interval: Timespec) -> Outcome {
    let Some(first) = container.record().init.open() else {
        return Ok(0);
    };
    // Without a memory controller nothing runs out of memory.
    let mut source = cgroup.oom_events().ok();
    let mut due = true;
    loop {
        if due {
            emit(container, "stats", stats(cgroup)?)?;
        }
        let mut watched = vec![PollFd::new(&first, PollFlags::IN)];
        watched.extend(
            source
                .as_ref()
                .map(|events| PollFd::from_borrowed_fd(events.as_fd(), PollFlags::IN)),
        );
        due = poll(&mut watched, Some(&interval)).map_err(Failure::from_display)? == 0;
        let ended = !watched[0].revents().is_empty();
        let told = watched
            .get(1)
            .is_some_and(|events| !events.revents().is_empty());
        let event = match source.as_mut() {
            // The last thing that happens to a container may be this, and the kernel may tell of its end first.
            Some(events) if ended => events.last(),
            Some(events) if told => events.read(),
            _ => Ok(OomEvent::None),
        };
        match event.map_err(Failure::from_display)? {
            OomEvent::Oom { .. } => emit(container, "oom", Value::Null)?,
            OomEvent::Gone => return Ok(0),
            OomEvent::None => {}
        }
        if ended {
            return Ok(0);
        }
    }
}

fn stats(cgroup: &Cgroup) -> Result<Value, Failure> {
    let stats = cgroup.stats().map_err(Failure::from_display)?;
    serde_json::to_value(stats).map_err(Failure::from_display)
}

fn emit(container: &Container, kind: &str, data: Value) -> Result<(), Failure> {
    let event = Event {
        kind,
        id: container.id(),
        data,
    };
    let text = serde_json::to_string(&event).map_err(Failure::from_display)?;
    print(&(text + "\n")).map(drop).map_err(Failure::new)
}

/// Reads a duration of one number and one unit, as callers of runc write it.
fn duration(text: &str) -> Result<Timespec, Failure> {
    let invalid = || Failure::new(format!("invalid duration \"{text}\" for --interval"));
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(invalid()),
    };
    let seconds: f64 = number.parse().map_err(|_| invalid())?;
    let duration = Duration::try_from_secs_f64(seconds * scale).map_err(|_| invalid())?;
    if duration.is_zero() {
        return Err(invalid());
    }
    Timespec::try_from(duration).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        let seconds = |text| duration(text).map(|time| (time.tv_sec, time.tv_nsec)).ok();
        assert_eq!(seconds("5s"), Some((5, 0)));
        assert_eq!(seconds("250ms"), Some((0, 250_000_000)));
        assert_eq!(seconds("1.5m"), Some((90, 0)));
        for text in ["", "5", "s", "0s", "-1s", "1d", "1e999h"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
