//! `/dev`: device nodes, and the links that programs expect there.

use std::{
    fs,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
};

use pyctr_sys::{
    mount::{MountAttr, attach, clone_mount, mount_setattr},
    root::{Links, Root},
};
use rustix::{
    fs::{
        Access, AtFlags, CWD, Dev, FileType, Gid, Mode, OFlags, Uid, access, chownat, fstat, major,
        makedev, minor, mknodat, openat, stat, symlinkat, unlinkat,
    },
    io::Errno,
    mount::MountAttrFlags,
};

use super::plan::{Planned, has_bound_dev};
use crate::{
    error::{Cause as _, Context as _, Error, Kind, Result},
    spec::{Device, DeviceType, Spec},
};

/// Character devices that every container has, with their numbers; the specification's list without those that are links or mounts.
const DEFAULT: [(&str, u32, u32); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// Links in `/dev`: name and target.
const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
];

/// One node to make.
#[derive(Debug)]
pub(super) struct Node {
    path: PathBuf,
    kind: FileType,
    device: Dev,
    mode: Mode,
    owner: (u32, u32),
    /// A detached copy of the host's node, where the container may not make its own.
    host: Option<OwnedFd>,
}

/// The nodes that the container gets: the specification's, and those of the document, which may replace them.
pub(super) fn plan(spec: &Spec, mounts: &[Planned<'_>], user_namespace: bool) -> Result<Vec<Node>> {
    if has_bound_dev(mounts) {
        return Ok(Vec::new());
    }
    let listed = &spec.linux.devices;
    let mut nodes = Vec::with_capacity(DEFAULT.len() + listed.len());
    for (name, major, minor) in DEFAULT {
        let path = Path::new("/dev").join(name);
        if !listed.iter().any(|device| device.path == path) {
            nodes.push(Node::new(
                path,
                FileType::CharacterDevice,
                makedev(major, minor),
            ));
        }
    }
    // /dev/ptmx is always the link to the container's own devpts.
    nodes.extend(
        listed
            .iter()
            .filter(|device| device.path != Path::new("/dev/ptmx"))
            .map(Node::listed),
    );
    if user_namespace {
        for node in nodes.iter_mut().filter(|node| node.kind != FileType::Fifo) {
            node.host = Some(node.open_host()?);
        }
    }
    Ok(nodes)
}

/// Makes the nodes and links.
pub(super) fn populate(root: &Root, nodes: &[Node]) -> Result<()> {
    let mode = Mode::from_raw_mode(0o755);
    // With a link there the nodes would be made where no program looks for them.
    let dev = root
        .mkdir_all("dev", mode, Links::Refuse)
        .context(|| "cannot make /dev")?;
    if is_hosts_own(&dev).context(|| "cannot look at /dev")? {
        return Ok(());
    }
    for node in nodes {
        let make = || match node
            .path
            .strip_prefix("/dev")
            .ok()
            .filter(|name| name.components().count() == 1)
        {
            Some(name) => node.make(&dev, name),
            None => {
                let (parent, name) = root
                    .make_parent(&node.path, mode)
                    .context(|| "make its directory")?;
                node.make(&parent, Path::new(&name))
            }
        };
        make().context(|| format!("cannot make the device {}", node.path.display()))?;
    }
    links(&dev).context(|| "cannot make the links in /dev")
}

/// Whether this is the directory that the whole machine uses: a root of `/` with nothing mounted on `/dev`.
fn is_hosts_own(dev: &OwnedFd) -> std::result::Result<bool, Errno> {
    let (here, there) = (fstat(dev)?, stat("/dev")?);
    Ok((here.st_dev, here.st_ino) == (there.st_dev, there.st_ino))
}

fn links(dev: &OwnedFd) -> std::result::Result<(), Errno> {
    let kcore = [("core", "/proc/kcore")];
    let has_kcore = access("/proc/kcore", Access::EXISTS).is_ok();
    for (name, target) in LINKS.iter().chain(kcore.iter().filter(|_| has_kcore)) {
        match symlinkat(*target, dev, *name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    match symlinkat("pts/ptmx", dev, "ptmx") {
        Err(Errno::EXIST) => {
            unlinkat(dev, "ptmx", AtFlags::empty())?;
            symlinkat("pts/ptmx", dev, "ptmx")
        }
        result => result,
    }
}

impl Node {
    fn new(path: PathBuf, kind: FileType, device: Dev) -> Self {
        Self {
            path,
            kind,
            device,
            mode: Mode::from_raw_mode(0o666),
            owner: (0, 0),
            host: None,
        }
    }

    fn listed(device: &Device) -> Self {
        let kind = match device.kind {
            DeviceType::Char | DeviceType::Unbuffered => FileType::CharacterDevice,
            DeviceType::Block => FileType::BlockDevice,
            DeviceType::Fifo => FileType::Fifo,
        };
        let number = |number: i64| u32::try_from(number).unwrap_or_default();
        let mut node = Self::new(
            device.path.clone(),
            kind,
            makedev(number(device.major), number(device.minor)),
        );
        if let Some(mode) = device.file_mode {
            node.mode = Mode::from_raw_mode(mode & 0o7777);
        }
        node.owner = (device.uid, device.gid);
        node
    }

    /// Makes the node as `name` in the directory `parent`, by `mknod(2)` if that is allowed.
    fn make(&self, parent: &OwnedFd, name: &Path) -> Result<()> {
        if let Some(host) = &self.host {
            return cover(parent, name, host);
        }
        match self.make_node(parent, name) {
            Err(Errno::PERM) => cover(parent, name, &self.open_host()?),
            // A mount of the document is there already; it is what was asked for.
            Ok(()) | Err(Errno::BUSY) => Ok(()),
            Err(errno) => Err(Error::new(Kind::Setup, errno.describe())),
        }
    }

    fn make_node(&self, parent: &OwnedFd, name: &Path) -> std::result::Result<(), Errno> {
        let make = || mknodat(parent, name, self.kind, self.mode, self.device);
        match make() {
            // Whatever an image has there is not to be trusted with the name.
            Err(Errno::EXIST) => {
                unlinkat(parent, name, AtFlags::empty())?;
                make()?;
            }
            result => result?,
        }
        if self.owner == (0, 0) {
            Ok(())
        } else {
            self.give(parent, name)
        }
    }

    /// Gives the new node to its owner, after a look at whether it is still the one that was made.
    fn give(&self, parent: &OwnedFd, name: &Path) -> std::result::Result<(), Errno> {
        let node = openat(
            parent,
            name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        if !self.is(&node)? {
            return Err(Errno::STALE);
        }
        let (uid, gid) = self.owner;
        chownat(
            node,
            "",
            Some(Uid::from_raw(uid)),
            Some(Gid::from_raw(gid)),
            AtFlags::EMPTY_PATH,
        )
    }

    fn is(&self, fd: impl AsFd) -> std::result::Result<bool, Errno> {
        let stat = fstat(fd)?;
        let same_device = self.kind == FileType::Fifo || stat.st_rdev == self.device;
        Ok(FileType::from_raw_mode(stat.st_mode) == self.kind && same_device)
    }

    /// A detached copy of the host's node with these numbers: at the same path, or where the kernel's own list says.
    fn open_host(&self) -> Result<OwnedFd> {
        let by_path = |path: &Path| {
            let fd = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            if self.is(&fd)? {
                Ok(fd)
            } else {
                Err(Errno::NODEV)
            }
        };
        let found = by_path(&self.path).or_else(|errno| match self.host_name() {
            Some(name) => by_path(&Path::new("/dev").join(name)),
            None => Err(errno),
        });
        let (major, minor) = (major(self.device), minor(self.device));
        let found = found.context(|| {
            format!(
                "find the device {major}:{minor} ({}) on the host",
                self.path.display()
            )
        })?;
        bind(&found).context(|| format!("bind the host's {}", self.path.display()))
    }

    fn host_name(&self) -> Option<String> {
        let class = if self.kind == FileType::BlockDevice {
            "block"
        } else {
            "char"
        };
        let (major, minor) = (major(self.device), minor(self.device));
        let events = fs::read_to_string(format!("/sys/dev/{class}/{major}:{minor}/uevent")).ok()?;
        events
            .lines()
            .find_map(|line| line.strip_prefix("DEVNAME="))
            .map(str::to_owned)
    }
}

/// A copy that is good for nothing but the device.
fn bind(node: &OwnedFd) -> std::io::Result<OwnedFd> {
    let copy = clone_mount(node, false)?;
    let attr = MountAttr {
        set: MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC,
        ..MountAttr::default()
    };
    mount_setattr(&copy, false, &attr)?;
    Ok(copy)
}

/// Covers `name` in `parent`, made as an empty file, with the host's node.
fn cover(parent: &OwnedFd, name: &Path, host: &OwnedFd) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(parent, name, flags, Mode::from_raw_mode(0o644)) {
        Ok(_) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(Error::new(Kind::Setup, errno.describe())),
    }
    let place = openat(
        parent,
        name,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    );
    attach(host, place.context(|| "open its place")?).context(|| "bind the host's")
}
