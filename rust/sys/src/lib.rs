//! The only crate with unsafe code: safe wrappers over system calls that rustix lacks.
