//! cgroup v1, v2 and hybrid behind one type
#![forbid(unsafe_code)]
