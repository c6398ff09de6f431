//! the OCI seccomp language compiled to BPF
#![forbid(unsafe_code)]
