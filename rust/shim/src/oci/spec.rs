//! `spec`: a `config.json` to begin with, for a bundle whose root file system is in `rootfs`.

use std::{fs::OpenOptions, io::Write as _, path::Path};

use serde_json::{Value, json};

use super::{Context, Failure, Outcome, args::Flag, args::Parsed};

/// The options of `spec`.
pub const FLAGS: [Flag; 2] = [
    Flag::value(
        &["bundle", "b"],
        "DIR",
        "where to write config.json (default: .)",
    ),
    Flag::switch(&["rootless"], "for a user without privileges"),
];

/// Capabilities of the first process: what a shell needs, and nothing that reaches the host.
const CAPABILITIES: [&str; 3] = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/// Writes `config.json`; one that exists is left alone.
pub fn spec(_: &Context, parsed: &Parsed) -> Outcome {
    let path = Path::new(parsed.get("bundle").unwrap_or(".")).join("config.json");
    let mut document = template();
    if unified() {
        add_namespace(&mut document, "cgroup");
    }
    if parsed.is_set("rootless") {
        make_rootless(&mut document);
    }
    let text = serde_json::to_string_pretty(&document).map_err(Failure::from_display)?;
    let failed = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    Ok(0)
}

fn template() -> Value {
    json!({
        "ociVersion": pyctr_runtime::spec::OCI_VERSION,
        "process": {
            "terminal": true,
            "user": {"uid": 0, "gid": 0},
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {
                "bounding": CAPABILITIES, "effective": CAPABILITIES, "permitted": CAPABILITIES,
            },
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": true,
        },
        "root": {"path": "rootfs", "readonly": true},
        "hostname": "pyctr",
        "mounts": mounts(),
        "linux": {
            "resources": {"devices": [{"allow": false, "access": "rwm"}]},
            "namespaces": [
                {"type": "pid"}, {"type": "network"}, {"type": "ipc"},
                {"type": "uts"}, {"type": "mount"},
            ],
            "maskedPaths": [
                "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware", "/sys/fs/selinux",
            ],
            "readonlyPaths": [
                "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
            ],
        },
    })
}

fn mounts() -> Value {
    json!([
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
         "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs",
         "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
    ])
}

/// Whether there are cgroups of version 2 only. On version 1 programs such as systemd expect to see the host's paths.
fn unified() -> bool {
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

fn add_namespace(document: &mut Value, kind: &str) {
    if let Some(namespaces) = document["linux"]["namespaces"].as_array_mut() {
        namespaces.push(json!({"type": kind}));
    }
}

/// One user mapped to root, no network namespace of its own that could mount a sysfs, no group 5.
fn make_rootless(document: &mut Value) {
    let ids = |host: u32| json!([{"containerID": 0, "hostID": host, "size": 1}]);
    let linux = &mut document["linux"];
    linux["uidMappings"] = ids(rustix::process::geteuid().as_raw());
    linux["gidMappings"] = ids(rustix::process::getegid().as_raw());
    linux["resources"] = json!({});
    if let Some(namespaces) = linux["namespaces"].as_array_mut() {
        namespaces.retain(|entry| entry["type"] != "network");
    }
    add_namespace(document, "user");
    let Some(mounts) = document["mounts"].as_array_mut() else {
        return;
    };
    for mount in mounts {
        match mount["destination"].as_str() {
            Some("/sys") => {
                *mount = json!({
                    "destination": "/sys", "type": "none", "source": "/sys",
                    "options": ["rbind", "nosuid", "noexec", "nodev", "ro"],
                });
            }
            Some("/dev/pts") => {
                if let Some(options) = mount["options"].as_array_mut() {
                    options.retain(|option| option != "gid=5");
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyctr_runtime::spec::Spec;

    #[test]
    fn what_it_writes_is_valid() {
        let mut rootless = template();
        make_rootless(&mut rootless);
        for document in [template(), rootless] {
            let text = document.to_string();
            let spec = Spec::parse(text.as_bytes()).expect("parses");
            spec.validate().expect("is valid");
        }
    }
}
