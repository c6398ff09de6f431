//! AppArmor profiles and SELinux labels, taken on at the next `execve`.

use rustix::io::Errno;

use crate::{
    error::{Context, Error, Result},
    procfs::Procfs,
    spec::Process,
};

/// Asks the kernel to change profile and label at the next `execve`, as far as `process` names them and the machine has them.
pub(crate) fn apply(
    procfs: &Procfs,
    process: &Process,
    warn: &mut dyn FnMut(String),
) -> Result<()> {
    if let Some(profile) = process
        .apparmor_profile
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        apparmor(procfs, profile)?;
    }
    if let Some(label) = process
        .selinux_label
        .as_deref()
        .filter(|label| !label.is_empty())
    {
        selinux(procfs, label, warn)?;
    }
    Ok(())
}

fn apparmor(procfs: &Procfs, profile: &str) -> Result<()> {
    if !has_module("apparmor") {
        if profile == "unconfined" {
            return Ok(());
        }
        return Err(Error::setup(
            format!("cannot take on the AppArmor profile {profile}"),
            "AppArmor is not enabled",
        ));
    }
    let value = format!("exec {profile}");
    match procfs.write("self/attr/apparmor/exec", &value) {
        Err(Errno::NOENT) => procfs.write("self/attr/exec", &value),
        other => other,
    }
    .context(|| format!("cannot take on the AppArmor profile {profile}"))
}

fn selinux(procfs: &Procfs, label: &str, warn: &mut dyn FnMut(String)) -> Result<()> {
    if !has_module("selinux") {
        return Err(Error::setup(
            format!("cannot take on the SELinux label {label}"),
            "SELinux is not enabled",
        ));
    }
    match procfs.write("self/attr/exec", label) {
        // SELinux is compiled in, but no policy is loaded that could know the label.
        Err(Errno::INVAL) => {
            warn(format!(
                "the SELinux label {label} is not known here and was not set"
            ));
            Ok(())
        }
        other => other.context(|| format!("cannot take on the SELinux label {label}")),
    }
}

/// Whether a security module is active.
fn has_module(name: &str) -> bool {
    match std::fs::read_to_string("/sys/kernel/security/lsm") {
        Ok(list) => list.trim().split(',').any(|module| module == name),
        // securityfs is not mounted: the modules' own places tell.
        Err(_) if name == "apparmor" => {
            std::fs::read_to_string("/sys/module/apparmor/parameters/enabled")
                .is_ok_and(|enabled| enabled.starts_with('Y'))
        }
        Err(_) => std::fs::exists("/sys/fs/selinux/enforce").unwrap_or(false),
    }
}
