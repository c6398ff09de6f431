//! Builds the static `pyctr-shim` beside the extension, so that one wheel carries both.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The crates that end up in the shim; a change in any of them rebuilds it.
const SHIM_CRATES: [&str; 5] = ["sys", "cgroup", "seccomp", "runtime", "shim"];

fn main() {
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("../..");
    for name in SHIM_CRATES {
        println!(
            "cargo::rerun-if-changed={}",
            root.join("rust").join(name).display()
        );
    }
    println!(
        "cargo::rerun-if-changed={}",
        root.join("Cargo.lock").display()
    );
    println!("cargo::rerun-if-env-changed=PYCTR_SKIP_SHIM");
    let out = PathBuf::from(var("OUT_DIR"));
    // Lints and type checks of the workspace need no second build of the shim.
    if env::var_os("PYCTR_SKIP_SHIM").is_none() {
        build_shim(&root, &out);
    }
}

fn build_shim(root: &Path, out: &Path) {
    let target = var("TARGET");
    let target_dir = out.join("shim-target");
    let status = Command::new(var("CARGO"))
        .current_dir(root)
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "pyctr-shim",
            "--bin",
            "pyctr-shim",
        ])
        // An explicit --target keeps +crt-static away from proc-macros and build scripts.
        .args(["--target", &target, "--target-dir"])
        .arg(&target_dir)
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // No relocations to write at start-up means fewer dirty pages in every idle supervisor.
        .env(
            "RUSTFLAGS",
            "-C target-feature=+crt-static -C relocation-model=static",
        )
        .status()
        .expect("cargo runs");
    assert!(status.success(), "pyctr-shim does not build");
    let built = target_dir.join(&target).join("release/pyctr-shim");
    std::fs::copy(&built, out.join("pyctr-shim")).expect("the shim can be copied to OUT_DIR");
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}
