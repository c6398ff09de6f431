//! `list`.

use std::{fmt::Write as _, path::Path};

use pyctr_runtime::{Container, Status};

use super::{
    Context, DEFAULT_ROOT, Failure, Outcome, args::Flag, args::Parsed, no_operands, print,
    state::Entry,
};

/// The options of `list`.
pub const FLAGS: [Flag; 2] = [
    Flag::value(&["format", "f"], "FORMAT", "table (default) or json"),
    Flag::switch(&["quiet", "q"], "only ids"),
];

/// Lists the containers below `--root`; one that cannot be read is named and hides no other.
pub fn list(context: &Context, parsed: &Parsed) -> Outcome {
    no_operands(parsed)?;
    // The place itself is made when first needed; one that was named should have somewhere to be.
    let above = context.root.parent().filter(|above| !above.exists());
    if context.root != Path::new(DEFAULT_ROOT) && above.is_some_and(|above| above != Path::new(""))
    {
        return Err(Failure::new(format!(
            "cannot read {}: no such file or directory",
            context.root.display()
        )));
    }
    let (containers, broken) = Container::list(&context.root)?;
    for error in &broken {
        context.log.warning(&error.to_string());
    }
    let entries: Vec<Entry> = containers.iter().map(Entry::of).collect();
    let text = match (
        parsed.is_set("quiet"),
        parsed.get("format").unwrap_or("table"),
    ) {
        (true, _) => entries
            .iter()
            .map(|entry| format!("{}\n", entry.oci().id))
            .collect(),
        (_, "table") => table(&entries),
        (_, "json") => serde_json::to_string(&entries).map_err(Failure::from_display)? + "\n",
        (_, other) => {
            return Err(Failure::new(format!(
                "unknown format \"{other}\": table or json"
            )));
        }
    };
    print(&text).map_err(Failure::new)
}

fn table(entries: &[Entry]) -> String {
    let widest = |length: fn(&Entry) -> usize| entries.iter().map(length).max().unwrap_or(0);
    let width = widest(|entry| entry.oci().id.len()).max(10);
    let bundle = widest(|entry| entry.oci().bundle.as_os_str().len()).max(10);
    let mut text = format!(
        "{:width$}  {:8} {:8} {:bundle$}  {:30} OWNER\n",
        "ID", "PID", "STATUS", "BUNDLE", "CREATED"
    );
    for entry in entries {
        let oci = entry.oci();
        let _ = writeln!(
            text,
            "{:width$}  {:<8} {:8} {:bundle$}  {:30} {}",
            oci.id,
            oci.pid,
            word(oci.status),
            oci.bundle.display().to_string(),
            oci.created,
            entry.owner(),
        );
    }
    text
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Creating => "creating",
        Status::Created => "created",
        Status::Running => "running",
        Status::Paused => "paused",
        Status::Stopped => "stopped",
    }
}
