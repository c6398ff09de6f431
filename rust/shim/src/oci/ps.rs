//! `ps`.

use std::process::Command;

use pyctr_runtime::Container;

use super::{Context, Failure, Outcome, args::Flag, args::Parsed, print};

/// The options of `ps`.
pub const FLAGS: [Flag; 1] = [Flag::value(
    &["format", "f"],
    "FORMAT",
    "table (default) or json",
)];

/// Lists the processes of a container: their ids as JSON, or what the host's ps(1) says of them.
pub fn ps(context: &Context, parsed: &Parsed) -> Outcome {
    let Some((id, options)) = parsed.operands.split_first() else {
        return Err(Failure::new("the id of a container is missing"));
    };
    let pids = Container::open(&context.root, id)?.pids()?;
    let pids: Vec<i32> = pids
        .into_iter()
        .map(|pid| pid.as_raw_nonzero().get())
        .collect();
    let text = match parsed.get("format").unwrap_or("table") {
        "json" => serde_json::to_string(&pids).map_err(Failure::from_display)? + "\n",
        "table" => table(options, &pids)?,
        other => {
            return Err(Failure::new(format!(
                "unknown format \"{other}\": table or json"
            )));
        }
    };
    print(&text).map_err(Failure::new)
}

/// The head line of ps(1) and those of its lines whose column PID is among `pids`.
fn table(options: &[String], pids: &[i32]) -> Result<String, Failure> {
    let default = ["-ef".to_owned()];
    let options = if options.is_empty() {
        &default
    } else {
        options
    };
    let output = Command::new("ps")
        .args(options)
        .output()
        .map_err(|error| Failure::new(format!("cannot run ps: {error}")))?;
    if !output.status.success() {
        let reason = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("ps: {}", reason.trim())));
    }
    filter(&String::from_utf8_lossy(&output.stdout), pids)
}

fn filter(listing: &str, pids: &[i32]) -> Result<String, Failure> {
    let mut lines = listing.lines();
    let head = lines.next().unwrap_or_default();
    let column = head
        .split_whitespace()
        .position(|name| name == "PID")
        .ok_or_else(|| Failure::new("the output of ps has no column PID"))?;
    let mut text = format!("{head}\n");
    for line in lines {
        let pid = line
            .split_whitespace()
            .nth(column)
            .and_then(|field| field.parse().ok());
        if pid.is_some_and(|pid| pids.contains(&pid)) {
            text += line;
            text.push('\n');
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_lines_of_the_container() {
        let listing = "UID PID CMD\nroot 1 init\nroot 22 sleep 1\nroot 222 sleep 22\n";
        let kept = filter(listing, &[22]).map_err(|failure| failure.message);
        assert_eq!(kept.as_deref(), Ok("UID PID CMD\nroot 22 sleep 1\n"));
        assert!(filter("USER CMD\n", &[1]).is_err());
    }
}
