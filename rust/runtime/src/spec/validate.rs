//! What the shape of `config.json` cannot say: fields that contradict each other or ask for the impossible.

use std::path::{Component, Path};

use super::{Hook, IdMapping, Linux, NamespaceType, Process, Spec, SpecError};

type Check = Result<(), SpecError>;

impl Spec {
    /// Checks the whole document.
    ///
    /// # Errors
    /// [`SpecError::Invalid`] for the first field that is wrong.
    pub fn validate(&self) -> Check {
        version(&self.oci_version)?;
        if let Some(root) = &self.root {
            ensure(!root.path.as_os_str().is_empty(), "root.path", || {
                "is empty".into()
            })?;
        }
        if let Some(process) = &self.process {
            process.validate("process.")?;
        }
        self.namespaces()?;
        self.host_names()?;
        self.id_mappings()?;
        self.mounts()?;
        self.devices()?;
        self.sysctl()?;
        self.not_offered()?;
        self.hooks()
    }

    fn namespaces(&self) -> Check {
        let linux = &self.linux;
        for (i, namespace) in linux.namespaces.iter().enumerate() {
            let field = || format!("linux.namespaces[{i}]");
            let earlier = linux.namespaces[..i]
                .iter()
                .any(|other| other.kind == namespace.kind);
            ensure(!earlier, field(), || {
                format!("{} is listed twice", namespace.kind.name())
            })?;
            if let Some(path) = &namespace.path {
                ensure(path.is_absolute(), format!("{}.path", field()), || {
                    "must be absolute".into()
                })?;
            }
        }
        ensure(
            linux.namespace(NamespaceType::Mount).is_some(),
            "linux.namespaces",
            || "a mount namespace is needed, or the container's mounts would be the host's".into(),
        )?;
        ensure(
            linux.time_offsets.is_none() || linux.has_new(NamespaceType::Time),
            "linux.timeOffsets",
            || "needs a new time namespace".into(),
        )
    }

    fn host_names(&self) -> Check {
        let uts = self.linux.namespace(NamespaceType::Uts).is_some();
        for (field, value) in [
            ("hostname", &self.hostname),
            ("domainname", &self.domainname),
        ] {
            let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else {
                continue;
            };
            ensure(uts, field, || "needs a private UTS namespace".into())?;
            ensure(value.len() <= 64 && !value.contains('\0'), field, || {
                "is longer than 64 bytes".into()
            })?;
        }
        Ok(())
    }

    fn id_mappings(&self) -> Check {
        let linux = &self.linux;
        let user = linux.namespace(NamespaceType::User);
        for (field, maps) in [
            ("linux.uidMappings", &linux.uid_mappings),
            ("linux.gidMappings", &linux.gid_mappings),
        ] {
            mapping(field, maps)?;
            if user.is_some_and(|user| user.path.is_none()) {
                ensure(!maps.is_empty(), field, || {
                    "a new user namespace needs at least one range".into()
                })?;
            }
            ensure(maps.is_empty() || user.is_some(), field, || {
                "needs a user namespace".into()
            })?;
        }
        Ok(())
    }

    fn mounts(&self) -> Check {
        for (i, mount) in self.mounts.iter().enumerate() {
            let field = |name: &str| format!("mounts[{i}].{name}");
            path_text(&mount.destination, field("destination"))?;
            if let Some(source) = &mount.source {
                ensure(!has_nul(source), field("source"), || {
                    "contains a NUL byte".into()
                })?;
            }
            let both = mount.uid_mappings.is_empty() == mount.gid_mappings.is_empty();
            ensure(both, field("uidMappings"), || {
                "uidMappings and gidMappings go together".into()
            })?;
            mapping(&field("uidMappings"), &mount.uid_mappings)?;
            mapping(&field("gidMappings"), &mount.gid_mappings)?;
        }
        let linux = &self.linux;
        for (name, paths) in [
            ("maskedPaths", &linux.masked_paths),
            ("readonlyPaths", &linux.readonly_paths),
        ] {
            for (i, path) in paths.iter().enumerate() {
                let field = format!("linux.{name}[{i}]");
                ensure(path.is_absolute(), field.as_str(), || {
                    "must be absolute".into()
                })?;
                path_text(path, field)?;
            }
        }
        Ok(())
    }

    fn devices(&self) -> Check {
        for (i, device) in self.linux.devices.iter().enumerate() {
            let field = |name: &str| format!("linux.devices[{i}].{name}");
            ensure(device.path.is_absolute(), field("path"), || {
                "must be absolute".into()
            })?;
            path_text(&device.path, field("path"))?;
            for (name, number) in [("major", device.major), ("minor", device.minor)] {
                ensure(u32::try_from(number).is_ok(), field(name), || {
                    format!("{number} is out of range")
                })?;
            }
        }
        Ok(())
    }

    fn sysctl(&self) -> Check {
        for (name, value) in &self.linux.sysctl {
            let field = format!("linux.sysctl.{name}");
            let Some(owner) = sysctl_namespace(&normal_sysctl(name)) else {
                return invalid(
                    field,
                    "is not a parameter that belongs to a namespace".into(),
                );
            };
            let named = self.domainname.as_deref().unwrap_or_default();
            let twice = normal_sysctl(name) == "kernel.domainname" && !named.is_empty();
            ensure(!twice || named == value, field.as_str(), || {
                "is in conflict with domainname".into()
            })?;
            ensure(self.linux.namespace(owner).is_some(), field, || {
                format!("needs a private {} namespace", owner.name())
            })?;
        }
        Ok(())
    }

    /// What the specification allows a runtime not to have, and must not be passed over in silence.
    fn not_offered(&self) -> Check {
        let linux = &self.linux;
        ensure(linux.intel_rdt.is_none(), "linux.intelRdt", || {
            "is not supported".into()
        })?;
        ensure(linux.net_devices.is_empty(), "linux.netDevices", || {
            "is not supported".into()
        })
    }

    fn hooks(&self) -> Check {
        let hooks = &self.hooks;
        for (name, list) in [
            ("prestart", &hooks.prestart),
            ("createRuntime", &hooks.create_runtime),
            ("createContainer", &hooks.create_container),
            ("startContainer", &hooks.start_container),
            ("poststart", &hooks.poststart),
            ("poststop", &hooks.poststop),
        ] {
            for (i, hook) in list.iter().enumerate() {
                self::hook(&format!("hooks.{name}[{i}]"), hook)?;
            }
        }
        Ok(())
    }
}

impl Process {
    /// Checks a process; `prefix` goes before the names of its fields (`process.`, or nothing for a document of its own).
    ///
    /// # Errors
    /// [`SpecError::Invalid`] for the first field that is wrong.
    pub fn validate(&self, prefix: &str) -> Check {
        let field = |name: &str| format!("{prefix}{name}");
        ensure(!self.args.is_empty(), field("args"), || {
            "is empty: there is no program to run".into()
        })?;
        ensure(!self.args[0].is_empty(), field("args[0]"), || {
            "is empty: there is no program to run".into()
        })?;
        for (name, list) in [("args", &self.args), ("env", &self.env)] {
            if let Some(i) = list.iter().position(|text| text.contains('\0')) {
                return invalid(field(&format!("{name}[{i}]")), "contains a NUL byte".into());
            }
        }
        ensure(self.cwd.starts_with('/'), field("cwd"), || {
            format!("{:?} is not an absolute path", self.cwd)
        })?;
        ensure(!self.cwd.contains('\0'), field("cwd"), || {
            "contains a NUL byte".into()
        })?;
        if let Some(score) = self.oom_score_adj {
            ensure(
                (-1000..=1000).contains(&score),
                field("oomScoreAdj"),
                || format!("{score} is not in -1000..1000"),
            )?;
        }
        for (i, limit) in self.rlimits.iter().enumerate() {
            let at = || field(&format!("rlimits[{i}]"));
            let earlier = self.rlimits[..i]
                .iter()
                .any(|other| other.kind == limit.kind);
            ensure(!earlier, at(), || "the same limit is listed twice".into())?;
            ensure(limit.soft <= limit.hard, at(), || {
                format!(
                    "the soft limit {} is above the hard limit {}",
                    limit.soft, limit.hard
                )
            })?;
        }
        for (name, id) in [("user.uid", self.user.uid), ("user.gid", self.user.gid)] {
            // To setresuid(2) it means "as before".
            ensure(id != u32::MAX, field(name), || format!("{id} is not an id"))?;
        }
        if let Some(umask) = self.user.umask {
            ensure(umask <= 0o777, field("user.umask"), || {
                format!("{umask} is not in 0..511")
            })?;
        }
        Ok(())
    }
}

impl NamespaceType {
    /// The name in the specification.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Cgroup => "cgroup",
            Self::Ipc => "ipc",
            Self::Uts => "uts",
            Self::Network => "network",
            Self::Pid => "pid",
            Self::Time => "time",
            Self::Mount => "mount",
        }
    }
}

/// A kernel parameter in dotted spelling: `net/ipv4/conf/eth0.1/x` is `net.ipv4.conf.eth0/1.x`, as in `sysctl(8)`.
pub(crate) fn normal_sysctl(name: &str) -> String {
    let slashed = name
        .find(['.', '/'])
        .is_some_and(|i| name.as_bytes()[i] == b'/');
    if !slashed {
        return name.to_owned();
    }
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    name.chars().map(swap).collect()
}

/// Where a kernel parameter lies below `/proc`.
pub(crate) fn sysctl_path(name: &str) -> String {
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    format!(
        "sys/{}",
        normal_sysctl(name).chars().map(swap).collect::<String>()
    )
}

impl Linux {
    /// A kernel parameter of the document that belongs to namespaces of this kind.
    pub(crate) fn sysctl_of(&self, kind: NamespaceType) -> Option<&str> {
        let mut names = self.sysctl.keys();
        names
            .find(|name| sysctl_namespace(&normal_sysctl(name)) == Some(kind))
            .map(String::as_str)
    }
}

/// The kind of namespace a parameter (dotted) belongs to; `None` if it is the whole machine's.
fn sysctl_namespace(name: &str) -> Option<NamespaceType> {
    const IPC: [&str; 8] = [
        "msgmax",
        "msgmnb",
        "msgmni",
        "sem",
        "shmall",
        "shmmax",
        "shmmni",
        "shm_rmid_forced",
    ];
    if name
        .split(['.', '/'])
        .any(|part| part.is_empty() || part == "..")
    {
        return None;
    }
    let (first, rest) = name.split_once('.')?;
    match first {
        "net" => Some(NamespaceType::Network),
        "user" => Some(NamespaceType::User),
        "fs" if rest.starts_with("mqueue.") => Some(NamespaceType::Ipc),
        "kernel" if IPC.contains(&rest) => Some(NamespaceType::Ipc),
        "kernel" if rest == "domainname" => Some(NamespaceType::Uts),
        _ => None,
    }
}

fn version(version: &str) -> Check {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = numbers.split('.').map(str::parse::<u32>);
    let ok = matches!(
        (parts.next(), parts.next(), parts.next(), parts.next()),
        (Some(Ok(_)), Some(Ok(_)), Some(Ok(_)), None)
    );
    ensure(ok, "ociVersion", || {
        format!("{version:?} is not a version such as 1.2.0")
    })?;
    ensure(numbers.starts_with("1."), "ociVersion", || {
        format!("version {version} is not supported, only 1.x is")
    })
}

fn mapping(field: &str, maps: &[IdMapping]) -> Check {
    for (i, map) in maps.iter().enumerate() {
        let at = || format!("{field}[{i}]");
        ensure(map.size > 0, at(), || "size is 0".into())?;
        let fits = |start: u32| start.checked_add(map.size - 1).is_some();
        ensure(fits(map.container_id) && fits(map.host_id), at(), || {
            "goes beyond the last id".into()
        })?;
    }
    Ok(())
}

fn hook(field: &str, hook: &Hook) -> Check {
    ensure(hook.path.is_absolute(), format!("{field}.path"), || {
        "must be absolute".into()
    })?;
    ensure(hook.timeout != Some(0), format!("{field}.timeout"), || {
        "must be above 0".into()
    })?;
    let nul = hook
        .args
        .iter()
        .chain(&hook.env)
        .any(|text| text.contains('\0'))
        || has_nul(&hook.path);
    ensure(!nul, field, || "contains a NUL byte".into())
}

fn path_text(path: &Path, field: String) -> Check {
    ensure(!path.as_os_str().is_empty(), field.as_str(), || {
        "is empty".into()
    })?;
    ensure(!has_nul(path), field.as_str(), || {
        "contains a NUL byte".into()
    })?;
    let dots = path.components().any(|part| part == Component::ParentDir);
    ensure(!dots, field, || "must not contain ..".into())
}

fn has_nul(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().contains(&0)
}

fn ensure(holds: bool, field: impl Into<String>, reason: impl FnOnce() -> String) -> Check {
    if holds {
        Ok(())
    } else {
        invalid(field.into(), reason())
    }
}

fn invalid(field: String, reason: String) -> Check {
    Err(SpecError::Invalid { field, reason })
}
