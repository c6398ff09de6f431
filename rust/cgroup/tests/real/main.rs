//! Tests on the machine's real hierarchies, whichever version they are.
//!
//! They need processes with one thread that enter groups, so the program has a harness of its own and starts itself as
//! those processes. Usage: `real [part of a test's name]…`. Every group lies below `/pyctr-test-<pid>`, and in the end
//! the program looks whether anything is left over.

mod devices;
mod freeze;
mod lifecycle;
mod limits;
mod oom;
mod places;
mod process;
mod stats;
mod support;

use std::{env, panic, process::ExitCode};

type Test = (&'static str, fn());

const TESTS: &[&[Test]] = &[
    lifecycle::TESTS,
    limits::TESTS,
    freeze::TESTS,
    oom::TESTS,
    devices::TESTS,
    stats::TESTS,
    places::TESTS,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments
        .first()
        .is_some_and(|first| first == process::MARK)
    {
        return process::main(&arguments[1..]);
    }
    // What cargo passes on, such as --nocapture, is none of ours.
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let chosen = TESTS.iter().copied().flatten().filter(|(name, _)| {
        wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()))
    });
    if let Err(why) = support::usable() {
        println!("skipped: {why}");
        return ExitCode::SUCCESS;
    }
    let mut failed = Vec::new();
    let mut count = 0;
    for (name, test) in chosen {
        count += 1;
        let passed = panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        if !passed {
            failed.push(*name);
        }
    }
    let left = support::sweep();
    if !left.is_empty() {
        println!("left over: {left:?}");
    }
    println!(
        "test result: {count} run on cgroup {}, {} failed",
        support::version(),
        failed.len()
    );
    if failed.is_empty() && left.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
