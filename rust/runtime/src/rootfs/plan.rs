//! The mounts of the document, understood before anything is touched.

use std::{
    os::fd::{AsFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

use rustix::mount::MountAttrFlags;

use super::{
    Depth, Mounted, Options, bind, cgroup, copy_up, fresh, idmap::IdMaps, options::MountOptions,
    target,
};
use crate::{
    error::{Context as _, Error, Kind, Result},
    spec::{Mount, Spec},
};

/// How a mount is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bind(Depth),
    Cgroup,
    Remount,
    /// A new file system of the type that the document names.
    Fresh,
}

/// One mount of the document.
#[derive(Debug)]
pub(super) struct Planned<'spec> {
    pub(super) mount: &'spec Mount,
    pub(super) form: Form,
    pub(super) kind: &'spec str,
    /// Absolute, without `.`, `..` and doubled slashes.
    pub(super) destination: PathBuf,
    pub(super) options: MountOptions,
    /// What is bound is in the root itself, so that it can be opened only once earlier mounts are there.
    inside: bool,
    /// Detached mounts that the runtime has opened already.
    sources: Option<Vec<OwnedFd>>,
    /// The mapping of a source that is opened later.
    userns: Option<OwnedFd>,
}

impl<'spec> Planned<'spec> {
    pub(super) fn new(mount: &'spec Mount) -> Result<Self> {
        let options = MountOptions::parse(&mount.options);
        let destination = absolute(&mount.destination);
        let kind = mount.kind.as_deref().unwrap_or_default();
        let form = match (options.bind, kind) {
            (Some(depth), _) => Form::Bind(depth),
            _ if options.remount => Form::Remount,
            (None, "bind") => Form::Bind(Depth::Top),
            (None, "cgroup" | "cgroup2") => Form::Cgroup,
            (None, "" | "none") => return refuse(&destination, "no file system type is given"),
            _ => Form::Fresh,
        };
        if destination == Path::new("/") && form != Form::Remount {
            return refuse(
                &destination,
                "it would cover the container's root directory",
            );
        }
        if options.copy_up && kind != "tmpfs" {
            return refuse(&destination, "tmpcopyup is an option of tmpfs");
        }
        let mapped = options.idmap.is_some() || !mount.uid_mappings.is_empty();
        if mapped && !matches!(form, Form::Bind(_)) {
            return refuse(&destination, "only bind mounts can be id-mapped");
        }
        Ok(Self {
            mount,
            form,
            kind,
            destination,
            options,
            inside: false,
            sources: None,
            userns: None,
        })
    }

    /// Tells it where the root lies on the host. Documents may name places in the container by their path there, and bind what
    /// other mounts have put there.
    pub(super) fn within(mut self, root: &Path, bundle: &Path) -> Self {
        if root == Path::new("/") {
            return self;
        }
        if let Ok(inner) = self.destination.strip_prefix(root) {
            self.destination = Path::new("/").join(inner);
        }
        let source = self.mount.source.as_ref().map(|path| bundle.join(path));
        self.inside = source.is_some_and(|path| path.starts_with(root));
        self
    }

    /// Whether the child could not open the source, even with all rights: ids are mapped from outside, and once the child's tree is
    /// a slave of the host's, nothing in it can be a peer any more.
    pub(super) fn needs_runtime(&self) -> bool {
        self.options.idmap.is_some()
            || !self.mount.uid_mappings.is_empty()
            || self.options.is_shared()
    }

    /// Opens the sources of a bind mount or of the cgroups, in the runtime.
    pub(super) fn open_sources(
        &mut self,
        spec: &Spec,
        options: &Options,
        idmaps: &mut IdMaps<'_>,
    ) -> Result<()> {
        let userns = bind::mapping(self, idmaps)?;
        self.sources = match self.form {
            Form::Bind(_) if self.inside && !self.options.is_shared() => {
                self.userns = userns
                    .map(|fd| fd.try_clone_to_owned())
                    .transpose()
                    .context(|| self.cannot_mount())?;
                None
            }
            Form::Bind(depth) => {
                let source = bind::open(self, depth, &options.bundle)?;
                bind::map_ids(self, &source, userns)?;
                bind::adopt(self, &source, &spec.linux)?;
                Some(vec![source])
            }
            Form::Cgroup => Some(cgroup::open(spec, &options.cgroups)?),
            Form::Remount | Form::Fresh => None,
        };
        Ok(())
    }

    /// Makes the mount.
    pub(super) fn mount(&mut self, mounted: &mut Mounted<'_>, options: &Options) -> Result<()> {
        match self.form {
            Form::Bind(depth) => self.mount_bind(mounted, depth, options),
            Form::Cgroup => {
                let sources = match self.sources.take() {
                    Some(sources) => sources,
                    None => cgroup::open(mounted.spec, &options.cgroups)?,
                };
                cgroup::mount(self, mounted, &options.cgroups, sources)
            }
            Form::Remount => bind::remount(self, &mounted.root),
            Form::Fresh => self.mount_fresh(mounted),
        }
    }

    fn mount_bind(&mut self, mounted: &Mounted<'_>, depth: Depth, options: &Options) -> Result<()> {
        let source = match self.sources.take().and_then(|mut sources| sources.pop()) {
            Some(source) => source,
            None => {
                let source = bind::open(self, depth, &options.bundle)?;
                bind::map_ids(self, &source, self.userns.as_ref().map(AsFd::as_fd))?;
                source
            }
        };
        bind::change(self, &source, depth)?;
        let target = target::open(&mounted.root, self, Some(&source))?;
        target.attach(self, &source)
    }

    fn mount_fresh(&self, mounted: &mut Mounted<'_>) -> Result<()> {
        let target = target::open(&mounted.root, self, None)?;
        let wanted = self.options.fresh();
        let later = (self.kind == "tmpfs" || self.destination == Path::new("/dev"))
            && wanted.contains(MountAttrFlags::MOUNT_ATTR_RDONLY);
        let attributes = if later {
            wanted - MountAttrFlags::MOUNT_ATTR_RDONLY
        } else {
            wanted
        };
        let made = fresh::make(self, &target, attributes)?;
        if self.options.copy_up {
            copy_up::copy(&mounted.root, &self.destination, &made)
                .context(|| self.cannot("copy the image's files to"))?;
        }
        target.attach(self, &made)?;
        bind::propagate(self, &made)?;
        if later {
            mounted.read_only_later.push(made);
        }
        Ok(())
    }

    /// `cannot mount proc on /proc`.
    pub(super) fn cannot_mount(&self) -> String {
        let what = match (self.form, &self.mount.source) {
            (Form::Bind(_), Some(source)) => source.display().to_string(),
            _ => self.kind.to_owned(),
        };
        format!("cannot mount {what} on {}", self.destination.display())
    }

    /// `cannot <verb> /proc`.
    pub(super) fn cannot(&self, verb: &str) -> String {
        format!("cannot {verb} {}", self.destination.display())
    }
}

/// Whether the container's `/dev` is somebody else's directory, which is not ours to fill.
pub(super) fn has_bound_dev(mounts: &[Planned<'_>]) -> bool {
    mounts.iter().any(|planned| {
        matches!(planned.form, Form::Bind(_)) && planned.destination == Path::new("/dev")
    })
}

fn refuse<T>(destination: &Path, why: &str) -> Result<T> {
    Err(Error::new(
        Kind::Invalid,
        format!("cannot mount on {}: {why}", destination.display()),
    ))
}

/// The path as an absolute one without `.` and `..`; what `..` would mean behind a symbolic link is not asked.
fn absolute(path: &Path) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(kind: &str, destination: &str, options: &[&str]) -> Mount {
        Mount {
            kind: Some(kind.to_owned()).filter(|kind| !kind.is_empty()),
            destination: destination.into(),
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            ..Mount::default()
        }
    }

    fn form(mount: &Mount) -> std::result::Result<Form, String> {
        Planned::new(mount)
            .map(|planned| planned.form)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_form_follows_from_type_and_options() {
        assert_eq!(
            form(&mount("none", "/x", &["rbind", "ro"])),
            Ok(Form::Bind(Depth::Tree))
        );
        assert_eq!(form(&mount("bind", "/x", &[])), Ok(Form::Bind(Depth::Top)));
        assert_eq!(
            form(&mount("", "/x", &["bind"])),
            Ok(Form::Bind(Depth::Top))
        );
        assert_eq!(form(&mount("cgroup2", "/x", &[])), Ok(Form::Cgroup));
        assert_eq!(
            form(&mount("tmpfs", "/x", &["remount", "ro"])),
            Ok(Form::Remount)
        );
        assert_eq!(form(&mount("tmpfs", "/x", &["tmpcopyup"])), Ok(Form::Fresh));
    }

    #[test]
    fn the_impossible_is_refused_by_name() {
        let error = |kind, destination, options: &[&str]| {
            form(&mount(kind, destination, options)).expect_err("it is refused")
        };
        assert_eq!(
            error("", "/x", &[]),
            "cannot mount on /x: no file system type is given"
        );
        assert_eq!(
            error("tmpfs", "/.//", &[]),
            "cannot mount on /: it would cover the container's root directory"
        );
        assert_eq!(
            error("tmpfs", "x", &["idmap"]),
            "cannot mount on /x: only bind mounts can be id-mapped"
        );
        assert_eq!(
            error("proc", "/proc", &["tmpcopyup"]),
            "cannot mount on /proc: tmpcopyup is an option of tmpfs"
        );
    }

    #[test]
    fn destinations_are_cleaned() {
        for (path, clean) in [("a/./b//", "/a/b"), ("/../../a/../b", "/b"), ("", "/")] {
            assert_eq!(absolute(Path::new(path)), Path::new(clean));
        }
    }
}
