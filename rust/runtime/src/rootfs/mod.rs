//! The root file system of a container, built by file descriptors.
//!
//! Every mount is made detached and then attached on a descriptor of its place, which is looked up inside the container's root by
//! the kernel; no path of a container is handed to the kernel as a string before `pivot_root`. The work has three parts:
//!
//! - [`Rootfs::prepare`], in the runtime: understands the document, and makes what the child in its user namespace may not.
//! - [`Rootfs::mount`], in the child in its new mount namespace: the root, the mounts, `/dev`. Hooks run after it.
//! - [`Mounted::enter`], in the child: hides paths, makes things read-only, and turns the root into `/`.

mod bind;
mod cgroup;
mod console;
mod copy_up;
mod devices;
mod foreign;
mod fresh;
mod idmap;
mod masked;
mod options;
mod overlay;
mod pivot;
mod plan;
mod propagation;
mod target;

pub use options::mount_option_names;
use std::{os::fd::OwnedFd, path::PathBuf};

use pyctr_sys::root::Root;
use rustix::{
    fs::Mode,
    process::{fchdir, umask},
};

pub use console::open_terminal;
pub use overlay::Overlay;

use crate::{
    error::{Context as _, Result},
    spec::{NamespaceType, Spec},
};
use {devices::Node, pivot::RootSource, plan::Planned};

/// Whether a mount alone is meant, or also all mounts below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Top,
    Tree,
}

/// What `config.json` does not say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The directory that relative paths of the document count from.
    pub bundle: PathBuf,
    /// Layers instead of the document's `root.path`.
    pub overlay: Option<Overlay>,
    /// The files of the root belong to the container's ids as they are, so they have to be mapped where the container has a user
    /// namespace. Layers are always mapped.
    pub idmap_root: bool,
    /// Move the root over `/` instead of `pivot_root(2)`, for hosts that run from an initial ramdisk.
    pub no_pivot: bool,
    /// The container's cgroups, for a mount of type `cgroup`.
    pub cgroups: Vec<CgroupMount>,
}

/// One directory to be seen below a mount of type `cgroup`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupMount {
    /// The hierarchy's name there, such as `memory` or `cpu,cpuacct`; empty if it is the only one and fills the whole mount.
    pub name: String,
    /// The directory on the host: the container's own cgroup, or the top of the hierarchy.
    pub path: PathBuf,
}

/// A root file system that is planned, with what needed the runtime's rights.
#[derive(Debug)]
pub struct Rootfs<'spec> {
    spec: &'spec Spec,
    options: &'spec Options,
    root: RootSource,
    mounts: Vec<Planned<'spec>>,
    nodes: Vec<Node>,
}

/// A root file system with everything mounted, not yet `/`.
#[derive(Debug)]
pub struct Mounted<'spec> {
    spec: &'spec Spec,
    no_pivot: bool,
    /// `/` of the host.
    host: OwnedFd,
    root: Root,
    /// Mounts that stay writable until every mount point in them is made.
    read_only_later: Vec<OwnedFd>,
    umask: Mode,
}

impl<'spec> Rootfs<'spec> {
    /// Plans the root file system of `spec`, and opens what a child in a user namespace could not.
    ///
    /// # Errors
    /// What the document asks for is not possible, or a source is not there.
    pub fn prepare(spec: &'spec Spec, options: &'spec Options) -> Result<Self> {
        let user_namespace = spec.linux.namespace(NamespaceType::User).is_some();
        let mut idmaps = idmap::IdMaps::new(&spec.linux);
        let mut mounts = Vec::with_capacity(spec.mounts.len());
        let root = spec.root.as_ref().filter(|_| options.overlay.is_none());
        let root = root.map(|root| options.bundle.join(&root.path));
        for mount in &spec.mounts {
            let mut planned = Planned::new(mount)?;
            if let Some(root) = &root {
                planned = planned.within(root, &options.bundle);
            }
            if user_namespace || planned.needs_runtime() {
                planned.open_sources(spec, options, &mut idmaps)?;
            }
            mounts.push(planned);
        }
        Ok(Self {
            spec,
            options,
            root: RootSource::prepare(spec, options, user_namespace, &mut idmaps)?,
            nodes: devices::plan(spec, &mounts, user_namespace)?,
            mounts,
        })
    }

    /// Builds the whole tree in the calling process's mount namespace, which must be its own.
    ///
    /// # Errors
    /// The first mount or device that failed; the namespace is good for nothing then.
    pub fn mount(mut self) -> Result<Mounted<'spec>> {
        // Modes below are exact, whatever the umask was.
        let umask = umask(Mode::empty());
        let host = propagation::isolate(&self.spec.linux)?;
        let root = self.root.attach(self.spec, self.options, &host)?;
        let mut mounted = Mounted {
            spec: self.spec,
            no_pivot: self.options.no_pivot,
            host,
            root,
            read_only_later: Vec::new(),
            umask,
        };
        for planned in &mut self.mounts {
            planned.mount(&mut mounted, self.options)?;
        }
        if !plan::has_bound_dev(&self.mounts) {
            devices::populate(&mounted.root, &self.nodes)?;
        }
        Ok(mounted)
    }
}

impl Mounted<'_> {
    /// The root, for lookups inside it.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Makes the root the working directory, where its hooks are run.
    ///
    /// # Errors
    /// The root cannot be entered.
    pub fn change_to(&self) -> Result<()> {
        fchdir(&self.root).context(|| "cannot change to the root")
    }

    /// Hides and protects what the document lists, makes the root `/` and leaves the host's tree behind.
    ///
    /// # Errors
    /// The first step that failed; the process must not run anything of the container then.
    pub fn enter(self) -> Result<()> {
        masked::mask(&self.root, &self.spec.linux.masked_paths)?;
        masked::protect(&self.root, &self.spec.linux.readonly_paths)?;
        masked::seal(&self)?;
        pivot::enter(&self)?;
        umask(self.umask);
        Ok(())
    }
}
