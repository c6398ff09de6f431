//! the supervisor of one container, and the OCI runtime command line
#![forbid(unsafe_code)]
