//! tar archives to directories and back, safe against hostile input
#![forbid(unsafe_code)]
