//! Root file systems built for real: every case runs in a process and a mount namespace of its own, as root.
//!
//! `cargo test -p pyctr-runtime --test rootfs -- [FILTER]`; without root it says so and passes. With `--times` it measures instead.
#![allow(clippy::unwrap_used)]

mod basics;
mod binds;
mod harness;
mod hostile;
mod layers;
mod users;

use harness::Case;

fn main() {
    if std::env::args().any(|arg| arg == "--times") {
        return harness::run_all([("times", basics::times as fn())].into_iter());
    }
    let filter = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default();
    let cases: Vec<Case> = [
        basics::CASES,
        binds::CASES,
        hostile::CASES,
        layers::CASES,
        users::CASES,
    ]
    .concat();
    harness::run_all(cases.into_iter().filter(|(name, _)| name.contains(&filter)));
}
