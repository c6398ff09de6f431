//! The runtime started once more from a file that no container can write to.

use std::{
    ffi::{CString, OsStr},
    os::{fd::AsFd, unix::ffi::OsStrExt},
};

use pyctr_sys::{exe, exec::Program};
use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags, fstatvfs, openat};

use crate::error::{Context, Error, Result};

/// Runs this program again from a read-only detached mount of its file, unless it already does: a process that enters a container
/// shows its file there as `/proc/<pid>/exe`, and root in the container could write to it (CVE-2019-5736).
///
/// # Errors
/// The file cannot be protected or executed. Returns without an error only in the process that is protected.
pub fn reexec_from_readonly_mount() -> Result<()> {
    let what = || "cannot protect the runtime's own file";
    let own = openat(
        CWD,
        "/proc/self/exe",
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .context(what)?;
    if fstatvfs(&own)
        .context(what)?
        .f_flag
        .contains(StatVfsMountFlags::RDONLY)
        || is_sealed()
    {
        return Ok(());
    }
    let path = std::env::current_exe().context(what)?;
    let file = exe::protected(&path).context(what)?;
    let args = std::env::args_os()
        .map(|arg| c_string(&arg))
        .collect::<Result<_>>()?;
    let environment = std::env::vars_os()
        .map(|(name, value)| {
            let mut entry = name;
            entry.push("=");
            entry.push(value);
            c_string(&entry)
        })
        .collect::<Result<_>>()?;
    Err(Error::setup(
        what(),
        Program::new(args, environment).exec_file(file.as_fd()),
    ))
}

/// Whether the program runs from a sealed copy in memory.
fn is_sealed() -> bool {
    std::fs::read_link("/proc/self/exe")
        .is_ok_and(|path| path.as_os_str().as_bytes().starts_with(b"/memfd:"))
}

fn c_string(text: &OsStr) -> Result<CString> {
    CString::new(text.as_bytes())
        .map_err(|_| Error::setup("cannot run again", "an argument contains a NUL byte"))
}
