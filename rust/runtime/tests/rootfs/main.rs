//! Root file systems built for real: every case runs in a process and a mount namespace of its own, as root.
//!
//! `cargo test -p pyctr-runtime --test rootfs -- [FILTER]`; without root it says so and passes.
#![allow(clippy::unwrap_used)]

mod basics;
mod binds;
mod harness;
mod hostile;
mod layers;
mod users;

use harness::Case;

fn main() {
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
