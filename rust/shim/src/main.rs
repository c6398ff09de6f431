//! `pyctr-shim`: the OCI runtime command line, and (as `pyctr-shim shim …`) the supervisor.
#![forbid(unsafe_code)]

fn main() {}
