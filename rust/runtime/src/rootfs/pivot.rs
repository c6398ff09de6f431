//! The container's root: attached over a place of the host's tree at first, `/` at the end.

use std::{
    fs,
    os::fd::{AsFd as _, OwnedFd},
    path::Path,
};

use pyctr_sys::{
    mount::{MountAttr, attach, mount_setattr},
    root::Root,
};
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
    mount::{MountPropagationFlags, UnmountFlags, unmount},
    process::{chdir, chroot, fchdir, pivot_root},
};

use super::{
    Depth, Mounted, Options, bind, idmap::IdMaps, overlay::in_user_namespace, propagation,
};
use crate::{
    error::{Cause as _, Context as _, Error, Kind, Result},
    spec::Spec,
};

/// Where the root comes from.
#[derive(Debug)]
pub(super) enum RootSource {
    /// A detached mount, made by the runtime.
    Ready(OwnedFd),
    /// The child makes it.
    Later,
}

impl RootSource {
    pub(super) fn prepare(
        spec: &Spec,
        options: &Options,
        user_namespace: bool,
        idmaps: &mut IdMaps<'_>,
    ) -> Result<Self> {
        if !user_namespace {
            return Ok(Self::Later);
        }
        // An ordinary user's container is prepared inside of its namespace already; its files are the user's own.
        let mapped = (options.overlay.is_some() || options.idmap_root) && !in_user_namespace();
        let userns = if mapped {
            Some(idmaps.container()?)
        } else {
            None
        };
        let root = match &options.overlay {
            Some(overlay) => overlay.open(userns)?,
            None => {
                let root = open_directory(spec, options)?;
                if let Some(userns) = userns {
                    let attr = MountAttr {
                        userns: Some(userns),
                        ..MountAttr::default()
                    };
                    mount_setattr(&root, false, &attr)
                        .context(|| "cannot map the ids of the root directory")?;
                }
                root
            }
        };
        Ok(Self::Ready(root))
    }

    /// Attaches the root, so that mounts can be attached in it in turn.
    pub(super) fn attach(self, spec: &Spec, options: &Options, host: &OwnedFd) -> Result<Root> {
        let root = match (self, &options.overlay) {
            (Self::Ready(root), _) => root,
            (Self::Later, Some(overlay)) => overlay.open(None)?,
            (Self::Later, None) => open_directory(spec, options)?,
        };
        let propagation =
            propagation::of_tree(&spec.linux).unwrap_or(MountPropagationFlags::PRIVATE);
        mount_setattr(
            &root,
            true,
            &MountAttr {
                propagation,
                ..MountAttr::default()
            },
        )
        .context(|| "cannot set the propagation of the root")?;
        // Hooks expect the root at the path that the document gives; layers may have none.
        let place = match place(spec, options) {
            Some(place) if !options.no_pivot && propagation::of_tree(&spec.linux).is_some() => {
                place
            }
            _ => host.try_clone().context(|| "cannot open /")?,
        };
        attach(&root, place).context(|| "cannot attach the root")?;
        Ok(Root::new(root))
    }
}

fn open_directory(spec: &Spec, options: &Options) -> Result<OwnedFd> {
    let Some(root) = &spec.root else {
        return Err(Error::new(Kind::Invalid, "config.json: root: is missing"));
    };
    let path = options.bundle.join(&root.path);
    bind::clone_at(&path, Depth::Tree).map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => Error::new(
            Kind::Setup,
            format!("the root directory {} does not exist", path.display()),
        ),
        _ => Error::setup(
            format!("cannot open the root directory {}", path.display()),
            error.describe(),
        ),
    })
}

fn place(spec: &Spec, options: &Options) -> Option<OwnedFd> {
    let path = options.bundle.join(&spec.root.as_ref()?.path);
    openat(
        CWD,
        &path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .ok()
}

/// Makes the root `/` for the calling process, and gets rid of the host's tree.
pub(super) fn enter(mounted: &Mounted<'_>) -> Result<()> {
    let root = mounted.root.as_fd();
    if mounted.no_pivot {
        uncover_nothing()?;
        fchdir(root).context(|| "cannot change to the root")?;
        chroot(".").context(|| "cannot chroot to the root")?;
    } else {
        fchdir(root).context(|| "cannot change to the root")?;
        // With "." twice no directory for the old root is needed: it ends up mounted over the new one.
        pivot_root(".", ".").context(|| "cannot pivot to the root")?;
        if propagation::of_tree(&mounted.spec.linux).is_none() {
            propagation::cut_off(&mounted.host)?;
        }
        unmount(".", UnmountFlags::DETACH).context(|| "cannot leave the host's mounts")?;
    }
    chdir("/").context(|| "cannot change to the root")?;
    propagation::finish(&mounted.spec.linux, mounted.root.as_fd())
}

/// Without `pivot_root(2)` the host's tree stays below the container's. The kernel would take a whole procfs or sysfs in it for leave
/// to mount another one without what is masked, so they go.
fn uncover_nothing() -> Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo")
        .context(|| "cannot read /proc/self/mountinfo")?;
    for point in table.lines().rev().filter_map(whole_proc_or_sysfs) {
        match unmount(Path::new(point), UnmountFlags::DETACH) {
            // The container's own, of which only the path inside it is known here.
            Ok(()) | Err(Errno::NOENT | Errno::INVAL) => {}
            Err(errno) => {
                return Err(Error::setup(
                    format!("cannot unmount the host's {point}"),
                    errno,
                ));
            }
        }
    }
    Ok(())
}

fn whole_proc_or_sysfs(line: &str) -> Option<&str> {
    let (head, tail) = line.split_once(" - ")?;
    let mut head = head.split(' ').skip(3);
    let (root, point) = (head.next()?, head.next()?);
    let kind = tail.split(' ').next()?;
    (root == "/" && matches!(kind, "proc" | "sysfs")).then_some(point)
}
