//! `pyctr-shim`: the OCI runtime command line, as `pyctr-shim shim …` the supervisor, and inside containers the reaper of `--init`.
#![forbid(unsafe_code)]

use std::{env, ffi::OsString, path::Path, process::ExitCode};

use pyctr_runtime::reaper;

fn main() -> ExitCode {
    let mut args = env::args_os();
    let name = args.next().unwrap_or_default();
    if Path::new(&name)
        .file_name()
        .is_some_and(|name| name == reaper::NAME)
    {
        return reaper::init_main(args);
    }
    let args: Vec<OsString> = args.collect();
    match args.split_first() {
        Some((verb, rest)) if verb == "shim" => pyctr_shim::main(rest.iter().cloned()),
        _ => pyctr_shim::oci::main(args),
    }
}
