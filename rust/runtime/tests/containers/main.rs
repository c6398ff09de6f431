//! Containers that really run, as root, from a root file system made of busybox.
//!
//! The test binary has one thread, as the runtime wants it, so it brings its own small harness.
#![allow(
    clippy::unwrap_used,
    reason = "a test that fails should stop where it does"
)]

mod basics;
mod exec;
mod hooks;
mod namespaces;
mod process;
mod rootless;
mod support;

fn main() -> std::process::ExitCode {
    // The reaper's tests bind this program into a container.
    let mut args = std::env::args_os();
    if args.next().is_some_and(|name| {
        name.to_string_lossy()
            .ends_with(pyctr_runtime::reaper::NAME)
    }) {
        return pyctr_runtime::reaper::init_main(args);
    }
    support::run_all(
        [
            basics::CASES,
            namespaces::CASES,
            process::CASES,
            exec::CASES,
            hooks::CASES,
            rootless::CASES,
        ]
        .concat()
        .into_iter(),
    );
    std::process::ExitCode::SUCCESS
}
