//! Bind mounts: opening what is bound, and changing a mount that exists.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use pyctr_sys::{
    mount::{MountAttr, clone_mount, mount_setattr},
    root::{Links, Root},
};
use rustix::{
    fs::CWD,
    io::Errno,
    mount::{MountPropagationFlags, OpenTreeFlags, open_tree},
};

use super::{Depth, foreign, idmap::IdMaps, plan::Planned, propagation};
use crate::{
    error::{Cause as _, Context as _, Error, Kind, Result},
    spec::Linux,
};

/// A detached copy of the mount at the source of `planned`.
pub(super) fn open(planned: &Planned<'_>, depth: Depth, bundle: &Path) -> Result<OwnedFd> {
    let Some(source) = &planned.mount.source else {
        return Err(Error::new(
            Kind::Invalid,
            format!(
                "{}: a bind mount needs a source",
                planned.cannot("mount on")
            ),
        ));
    };
    let path = bundle.join(source);
    let copy = match &planned.options.subdir {
        None => foreign::clone(&path, depth).unwrap_or_else(|| clone_at(&path, depth)),
        Some(subdir) => clone_inside(&path, subdir, depth),
    };
    copy.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => Error::new(
            Kind::Setup,
            format!(
                "bind source path does not exist: {}",
                planned
                    .options
                    .subdir
                    .as_ref()
                    .map_or_else(|| source.clone(), |subdir| source.join(subdir))
                    .display()
            ),
        ),
        Some(Errno::INVAL) => Error::setup(
            planned.cannot_mount(),
            "the source cannot be bound, it is on an unbindable mount",
        ),
        _ => Error::setup(planned.cannot_mount(), error.describe()),
    })
}

/// A detached copy of the mount at a path of the host.
pub(super) fn clone_at(path: &Path, depth: Depth) -> io::Result<OwnedFd> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if depth == Depth::Tree {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    Ok(open_tree(CWD, path, flags)?)
}

/// A detached copy of the mount at a path inside a directory of the host. What lies there is written by containers, which may put a
/// link where a directory was, so the path is looked up by the kernel inside of the directory, and what was found is what is bound.
fn clone_inside(directory: &Path, path: &Path, depth: Depth) -> io::Result<OwnedFd> {
    let place = Root::open_dir(directory)?.place(path, Links::Follow)?;
    clone_mount(place, depth == Depth::Tree)
}

/// The mapping that the document asks for.
pub(super) fn mapping<'maps>(
    planned: &Planned<'_>,
    idmaps: &'maps mut IdMaps<'_>,
) -> Result<Option<BorrowedFd<'maps>>> {
    let mount = planned.mount;
    let userns = if !mount.uid_mappings.is_empty() {
        idmaps.of(&mount.uid_mappings, &mount.gid_mappings)
    } else if planned.options.idmap.is_some() {
        idmaps.container()
    } else {
        return Ok(None);
    };
    userns
        .context(|| planned.cannot("map the ids of the mount on"))
        .map(Some)
}

/// Maps the ids of a copy.
pub(super) fn map_ids(
    planned: &Planned<'_>,
    copy: &OwnedFd,
    userns: Option<BorrowedFd<'_>>,
) -> Result<()> {
    let Some(userns) = userns else {
        return Ok(());
    };
    let depth = planned.options.idmap.unwrap_or(Depth::Top);
    let attr = MountAttr {
        userns: Some(userns),
        ..MountAttr::default()
    };
    mount_setattr(copy, depth == Depth::Tree, &attr).map_err(|error| {
        let cause = match Errno::from_io_error(&error) {
            Some(Errno::INVAL) => "its file system does not support it".to_owned(),
            _ => error.describe(),
        };
        Error::setup(planned.cannot("map the ids of the mount on"), cause)
    })
}

/// Gives a copy made in the host's namespace the propagation that one made in the container's would have.
pub(super) fn adopt(planned: &Planned<'_>, copy: &OwnedFd, linux: &Linux) -> Result<()> {
    match propagation::of_tree(linux) {
        Some(kind) if !planned.options.is_shared() => {
            let attr = MountAttr {
                propagation: kind,
                ..MountAttr::default()
            };
            mount_setattr(copy, true, &attr).context(|| planned.cannot("set the propagation of"))
        }
        _ => Ok(()),
    }
}

/// Applies the options of `planned` to a copy that is still detached, in as few calls as they allow. Attributes that are not
/// mentioned stay, so those that the kernel has locked do no harm.
pub(super) fn change(planned: &Planned<'_>, copy: &OwnedFd, depth: Depth) -> Result<()> {
    let options = &planned.options;
    let alone = depth == Depth::Top;
    let mut top = options.top.attr();
    let mut deep = options.deep.attr();
    if alone {
        top = options.deep.merged(options.top).attr();
        deep = MountAttr::default();
    }
    let mut steps = options.propagation.iter();
    if let Some((kind, reach)) = steps.next() {
        let attr = if alone || *reach == Depth::Top {
            &mut top
        } else {
            &mut deep
        };
        attr.propagation = *kind;
    }
    apply(planned, copy, true, &deep)?;
    apply(planned, copy, false, &top)?;
    steps.try_for_each(|step| propagate_one(planned, copy, *step))
}

/// Applies the propagation types of `planned` to a mount.
pub(super) fn propagate(planned: &Planned<'_>, mount: &OwnedFd) -> Result<()> {
    planned
        .options
        .propagation
        .iter()
        .try_for_each(|step| propagate_one(planned, mount, *step))
}

fn propagate_one(
    planned: &Planned<'_>,
    mount: &OwnedFd,
    (kind, depth): (MountPropagationFlags, Depth),
) -> Result<()> {
    apply(
        planned,
        mount,
        depth == Depth::Tree,
        &MountAttr {
            propagation: kind,
            ..MountAttr::default()
        },
    )
}

/// Changes the attributes of the mount that is at the place of `planned`.
pub(super) fn remount(planned: &Planned<'_>, root: &Root) -> Result<()> {
    let place = root
        .place(&planned.destination, Links::Follow)
        .context(|| planned.cannot("remount"))?;
    apply(planned, &place, true, &planned.options.deep.attr())?;
    apply(planned, &place, false, &planned.options.top.attr())?;
    propagate(planned, &place)
}

fn apply(
    planned: &Planned<'_>,
    mount: impl AsFd,
    recursive: bool,
    attr: &MountAttr<'_>,
) -> Result<()> {
    if attr.is_empty() {
        return Ok(());
    }
    mount_setattr(mount, recursive, attr).map_err(|error| {
        let cause = match Errno::from_io_error(&error) {
            Some(Errno::PERM) => {
                "it would lift a restriction that is locked in this user namespace".to_owned()
            }
            Some(Errno::INVAL) if planned.options.remount => "it is not a mount point".to_owned(),
            _ => error.describe(),
        };
        Error::setup(
            format!(
                "cannot set {} on {}",
                planned.mount.options.join(","),
                planned.destination.display()
            ),
            cause,
        )
    })
}
