//! Which hierarchies this machine mounts, and where in them we are. Found out once in each process.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::{Error, Result};

/// Which generation of control groups a machine uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Only version 1 hierarchies.
    V1,
    /// Controllers in version 1, and a version 2 hierarchy beside them.
    Hybrid,
    /// Only the unified hierarchy.
    V2,
}

impl Version {
    /// `v1`, `hybrid` or `v2`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::Hybrid => "hybrid",
            Self::V2 => "v2",
        }
    }
}

/// One mounted hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    /// As `/proc/self/cgroup` names it: `cpu,cpuacct`, `name=systemd`, and nothing for version 2.
    pub(crate) name: String,
    /// Where it is mounted.
    pub(crate) mount: PathBuf,
    /// Our own group, relative to the mount point.
    pub(crate) own: PathBuf,
    /// Whether events of version 2 count a group without those below it (`memory_localevents`).
    pub(crate) local_events: bool,
}

impl Hierarchy {
    pub(crate) fn is_v2(&self) -> bool {
        self.name.is_empty()
    }

    /// Whether a version 1 hierarchy carries this controller.
    pub(crate) fn has(&self, controller: &str) -> bool {
        self.name.split(',').any(|name| name == controller)
    }
}

/// All hierarchies of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) hierarchies: Vec<Hierarchy>,
}

impl Layout {
    /// This machine's, read at the first call.
    pub(crate) fn host() -> Result<&'static Self> {
        static HOST: OnceLock<Layout> = OnceLock::new();
        if let Some(layout) = HOST.get() {
            return Ok(layout);
        }
        let read =
            |path: &str| fs::read_to_string(path).map_err(|error| Error::io("read", path, error));
        let found = Self::parse(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?);
        if found.hierarchies.is_empty() {
            return Err(Error::NoHierarchy);
        }
        Ok(HOST.get_or_init(|| found))
    }

    /// From the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`.
    pub(crate) fn parse(mountinfo: &str, own: &str) -> Self {
        let mounts: Vec<Mount<'_>> = mountinfo.lines().filter_map(Mount::parse).collect();
        let hierarchies = own
            .lines()
            .filter_map(|line| Hierarchy::find(line, &mounts))
            .collect();
        Self { hierarchies }
    }

    pub(crate) fn version(&self) -> Version {
        let v2 = self.hierarchies.iter().filter(|h| h.is_v2()).count();
        match (v2, self.hierarchies.len() - v2) {
            (0, _) => Version::V1,
            (_, 0) => Version::V2,
            _ => Version::Hybrid,
        }
    }
}

impl Hierarchy {
    /// From a line of `/proc/self/cgroup` such as `4:memory:/user.slice` and the mount that belongs to it.
    fn find(line: &str, mounts: &[Mount<'_>]) -> Option<Self> {
        let mut fields = line.splitn(3, ':').skip(1);
        let (name, own) = (fields.next()?, fields.next()?);
        let candidates = mounts.iter().filter(|mount| mount.carries(name));
        // A bind mount may show a part of the hierarchy elsewhere; the whole one is wanted if it is there.
        let mount = candidates.min_by_key(|mount| (mount.root != "/", mount.point.len()))?;
        Some(Self {
            name: name.to_owned(),
            mount: PathBuf::from(unescape(mount.point)),
            own: relative(own, mount.root),
            local_events: mount
                .options
                .split(',')
                .any(|option| option == "memory_localevents"),
        })
    }
}

/// Our own path, as seen below a mount point that shows `root` of the hierarchy.
fn relative(own: &str, root: &str) -> PathBuf {
    let inside = Path::new(own)
        .strip_prefix(unescape(root))
        .unwrap_or(Path::new(""));
    // Outside of our cgroup namespace the kernel answers with `/../..`; there the mount's top is all we know.
    if inside.components().any(|part| part.as_os_str() == "..") {
        PathBuf::new()
    } else {
        inside.to_owned()
    }
}

/// The parts of a mountinfo line that matter here, proc_pid_mountinfo(5).
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (head, tail) = line.split_once(" - ")?;
        let mut head = head.split(' ').skip(3);
        let (root, point) = (head.next()?, head.next()?);
        let mut tail = tail.split(' ');
        let kind = tail
            .next()
            .filter(|kind| matches!(*kind, "cgroup" | "cgroup2"))?;
        Some(Self {
            root,
            point,
            kind,
            options: tail.nth(1)?,
        })
    }

    fn carries(&self, name: &str) -> bool {
        if name.is_empty() {
            return self.kind == "cgroup2";
        }
        self.kind == "cgroup"
            && name
                .split(',')
                .all(|part| self.options.split(',').any(|option| option == part))
    }
}

/// Undoes mountinfo's octal escapes of blanks and backslashes.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
23 1 0:5 / / rw - ext4 /dev/vda rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

    fn find<'a>(layout: &'a Layout, name: &str) -> &'a Hierarchy {
        layout
            .hierarchies
            .iter()
            .find(|h| h.name == name)
            .expect("the hierarchy is found")
    }

    #[test]
    fn hybrid_with_joint_and_named_hierarchies() {
        let own = "5:name=systemd:/\n4:memory:/a/b\n3:cpu,cpuacct:/\n2:pids:/\n0::/init.scope\n";
        let layout = Layout::parse(HYBRID, own);
        assert_eq!(layout.version(), Version::Hybrid);
        assert_eq!(layout.hierarchies.len(), 4, "pids is not mounted");
        assert_eq!(
            find(&layout, "cpu,cpuacct").mount,
            Path::new("/sys/fs/cgroup/cpu,cpuacct")
        );
        assert!(find(&layout, "cpu,cpuacct").has("cpuacct"));
        assert_eq!(find(&layout, "memory").own, Path::new("a/b"));
        assert_eq!(
            find(&layout, "name=systemd").mount,
            Path::new("/sys/fs/cgroup/systemd")
        );
        assert!(find(&layout, "").is_v2());
    }

    #[test]
    fn version_2_alone_with_local_events() {
        let layout = Layout::parse(
            "30 1 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_localevents",
            "0::/user.slice/x\n",
        );
        assert_eq!(layout.version(), Version::V2);
        assert!(find(&layout, "").local_events);
        assert_eq!(find(&layout, "").own, Path::new("user.slice/x"));
    }

    #[test]
    fn version_1_alone() {
        assert_eq!(Layout::parse(HYBRID, "4:memory:/\n").version(), Version::V1);
    }

    #[test]
    fn a_container_sees_its_own_part_of_the_hierarchy() {
        let mountinfo =
            "50 1 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        assert_eq!(
            find(
                &Layout::parse(mountinfo, "4:memory:/docker/abc/sub\n"),
                "memory"
            )
            .own,
            Path::new("sub")
        );
        assert_eq!(
            find(&Layout::parse(mountinfo, "4:memory:/../x\n"), "memory").own,
            Path::new("")
        );
    }

    #[test]
    fn the_whole_hierarchy_is_preferred_to_a_bind_mount_of_a_part() {
        let mountinfo = "1 1 0:2 /part /a rw - cgroup2 cgroup2 rw\n2 1 0:2 / /b\\040c rw - cgroup2 cgroup2 rw\n";
        assert_eq!(
            find(&Layout::parse(mountinfo, "0::/\n"), "").mount,
            Path::new("/b c")
        );
    }

    #[test]
    fn nonsense_is_no_hierarchy() {
        assert!(
            Layout::parse("x\n1 2 3\n - \n", "::\n:\n\n")
                .hierarchies
                .is_empty()
        );
    }
}
