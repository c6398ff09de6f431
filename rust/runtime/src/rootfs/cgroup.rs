//! A mount of type `cgroup`: the container's own groups, bound from the host's hierarchies.
//!
//! A bound directory of a hierarchy shows the same files as a mount made in the container's cgroup namespace, and it does not have to
//! wait until the process is in its groups.

use std::{io, os::fd::OwnedFd, path::Path};

use pyctr_sys::mount::{FsContext, MountAttr, attach, mount_setattr};
use rustix::{
    fs::{FsWord, Mode, OFlags, mkdirat, openat, statfs, symlinkat},
    io::Errno,
    mount::MountAttrFlags as Attr,
};

use super::{CgroupMount, Depth, Mounted, bind, plan::Planned, target};
use crate::{
    error::{Context as _, Result},
    spec::{NamespaceType, Spec},
};

/// `statfs(2)`'s number for cgroup2.
const CGROUP2_SUPER_MAGIC: FsWord = 0x6367_7270;

/// No program, device or set-user-id file has any business there.
const ALWAYS: Attr = Attr::MOUNT_ATTR_NOSUID
    .union(Attr::MOUNT_ATTR_NODEV)
    .union(Attr::MOUNT_ATTR_NOEXEC);

/// Detached copies of the cgroups' directories. Where the container has no cgroup namespace and there is but one hierarchy, it is the
/// whole one: the container reads paths in it that count from the top.
pub(super) fn open(spec: &Spec, cgroups: &[CgroupMount]) -> Result<Vec<OwnedFd>> {
    if let [only] = cgroups
        && only.name.is_empty()
        && spec.linux.namespace(NamespaceType::Cgroup).is_none()
    {
        let top = top(&only.path);
        let copy = bind::clone_at(top, Depth::Top)
            .context(|| format!("cannot open the cgroup {}", top.display()))?;
        return Ok(vec![copy]);
    }
    let open = |cgroup: &CgroupMount| {
        bind::clone_at(&cgroup.path, Depth::Top)
            .context(|| format!("cannot open the cgroup {}", cgroup.path.display()))
    };
    cgroups.iter().map(open).collect()
}

/// Mounts them at the place of `planned`: one without a name as it is, others in a directory each.
pub(super) fn mount(
    planned: &Planned<'_>,
    mounted: &mut Mounted<'_>,
    cgroups: &[CgroupMount],
    sources: Vec<OwnedFd>,
) -> Result<()> {
    let target = target::open(&mounted.root, planned, None)?;
    let set = planned.options.fresh() | ALWAYS;
    for source in &sources {
        mount_setattr(
            source,
            false,
            &MountAttr {
                set,
                ..MountAttr::default()
            },
        )
        .context(|| planned.cannot_mount())?;
    }
    if let ([only], [source]) = (cgroups, sources.as_slice())
        && only.name.is_empty()
    {
        target.attach(planned, source)?;
        return bind::propagate(planned, source);
    }
    let top = directory().context(|| planned.cannot_mount())?;
    target.attach(planned, &top)?;
    for (cgroup, source) in cgroups.iter().zip(sources) {
        fill(&top, &cgroup.name, source)
            .context(|| planned.cannot(&format!("mount the cgroup {} in", cgroup.name)))?;
    }
    bind::propagate(planned, &top)?;
    if set.contains(Attr::MOUNT_ATTR_RDONLY) {
        mounted.read_only_later.push(top);
    }
    Ok(())
}

/// The top of the version 2 hierarchy that `group` is in.
fn top(group: &Path) -> &Path {
    let inside = |path: &&Path| statfs(*path).is_ok_and(|fs| fs.f_type == CGROUP2_SUPER_MAGIC);
    group.ancestors().take_while(inside).last().unwrap_or(group)
}

fn directory() -> io::Result<OwnedFd> {
    let context = FsContext::open("tmpfs")?;
    context.string("mode", "755")?;
    context.mount(ALWAYS)
}

/// Mounts one hierarchy, with a link for each of the controllers that share it.
fn fill(top: &OwnedFd, name: &str, source: OwnedFd) -> io::Result<()> {
    mkdirat(top, name, Mode::from_raw_mode(0o755))?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    attach(source, openat(top, Path::new(name), flags, Mode::empty())?)?;
    for controller in name.split(',').filter(|controller| *controller != name) {
        match symlinkat(name, top, controller) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
