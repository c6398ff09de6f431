//! Layers as one tree: an overlay mount that is detached from the start, so that the host never sees it.

use std::{
    ffi::CString,
    io,
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd},
    path::{Path, PathBuf},
};

use pyctr_sys::{
    fsids::FsIds,
    mount::{FsContext, MountAttr, attach, mount_setattr},
    mount_private::in_private_mounts,
};
use rustix::{
    fs::{CWD, Gid, Mode, OFlags, Uid, openat, stat},
    io::Errno,
    mount::{MountAttrFlags as Attr, MountFlags},
};
use serde::{Deserialize, Serialize};

use super::{Depth, bind};
use crate::error::{Cause as _, Error, Kind, Result};

/// The longest text that `fsconfig(2)` takes.
const MAX_TEXT: usize = 255;
/// Inode number of the initial user namespace (`PROC_USER_INIT_INO`).
const INITIAL_USERNS: u64 = 0xEFFF_FFFD;
/// A directory that surely exists, to mount over in a namespace that is thrown away.
const ANYWHERE: &str = "/proc";
/// Features off: each would let a layer refer to another one in a way that copies and comparisons of layers do not know. With "off"
/// for the last one, most kernels would still follow what a layer says.
const PLAIN: [(&str, &str); 3] = [
    ("index", "off"),
    ("metacopy", "off"),
    ("redirect_dir", "nofollow"),
];

/// Directories to be seen as one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Overlay {
    /// Read-only layers, the topmost first; at least one.
    pub lower: Vec<PathBuf>,
    /// The layer that changes go to; without it the tree is read-only.
    #[serde(default)]
    pub upper: Option<PathBuf>,
    /// An empty directory on the file system of `upper`.
    #[serde(default)]
    pub work: Option<PathBuf>,
}

/// Why an overlay could not be put together.
struct Failure {
    errno: Option<Errno>,
    error: Error,
}

impl Failure {
    fn new(what: &str, cause: &io::Error, words: &str) -> Self {
        let cause_text = if words.is_empty() {
            cause.describe()
        } else {
            words.to_owned()
        };
        Self {
            errno: Errno::from_io_error(cause),
            error: Error::setup(what, cause_text),
        }
    }
}

impl Overlay {
    /// Makes the overlay as a detached mount. With `userns`, files of all layers are seen with their ids mapped by it.
    ///
    /// # Errors
    /// A layer is missing, or the kernel refuses; without `CAP_SYS_ADMIN` always.
    pub fn open(&self, userns: Option<BorrowedFd<'_>>) -> Result<OwnedFd> {
        match (self.lower.as_slice(), &self.upper) {
            ([], _) => {
                return Err(Error::new(
                    Kind::Invalid,
                    "an overlay needs at least one lower directory",
                ));
            }
            // The kernel wants at least two layers.
            ([only], None) => return alone(only, userns),
            _ => {}
        }
        let first = match self.assemble(userns, false) {
            Err(failure) if failure.errno == Some(Errno::INVAL) => failure,
            result => return result.map_err(|failure| failure.error),
        };
        // Kernels before 6.15 take no detached layers, kernels before 6.7 no layers one by one.
        let second = in_private_mounts(|| Ok(self.assemble(userns, true).ok()));
        second.ok().flatten().ok_or(first.error)
    }

    fn assemble(
        &self,
        userns: Option<BorrowedFd<'_>>,
        private: bool,
    ) -> std::result::Result<OwnedFd, Failure> {
        let mut layers = Layers::default();
        for path in &self.lower {
            let name = layers
                .name(path, userns, private)
                .map_err(|error| missing(path, &error))?;
            layers.lower.push(name);
        }
        if let (Some(upper), Some(work)) = (&self.upper, &self.work) {
            let names = layers
                .writable(upper, work, userns, private)
                .map_err(|error| missing(upper, &error))?;
            layers.writable = Some(names);
        }
        let _owner = layers.owner(userns.is_some())?;
        match layers.mount() {
            Err(failure) if private && failure.errno == Some(Errno::INVAL) => {
                self.joined(layers).map_err(|_| failure)
            }
            result => result,
        }
    }

    /// The old way, `mount(2)` with all layers in one text, which is short because it only has descriptors in it.
    fn joined(&self, layers: Layers) -> io::Result<OwnedFd> {
        let mut open = Vec::new();
        let mut name = |path: &Path| -> io::Result<String> {
            let fd = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
            let name = fd_name(&fd);
            open.push(fd);
            Ok(name)
        };
        let lower: io::Result<Vec<_>> = layers.lower.iter().map(|path| name(path)).collect();
        let mut data = format!("lowerdir={}", lower?.join(":"));
        if let Some((upper, work)) = &layers.writable {
            data += &format!(",upperdir={},workdir={}", name(upper)?, name(work)?);
        }
        if in_user_namespace() {
            data += ",userxattr";
        }
        let data = CString::new(data)?;
        rustix::mount::mount(
            "overlay",
            ANYWHERE,
            "overlay",
            MountFlags::empty(),
            data.as_c_str(),
        )?;
        bind::clone_at(Path::new(ANYWHERE), Depth::Top)
    }
}

/// One layer without changes needs no overlay.
fn alone(layer: &Path, userns: Option<BorrowedFd<'_>>) -> Result<OwnedFd> {
    let make = || {
        let copy = bind::clone_at(layer, Depth::Top)?;
        let attr = MountAttr {
            set: Attr::MOUNT_ATTR_RDONLY,
            userns,
            ..MountAttr::default()
        };
        mount_setattr(&copy, false, &attr)?;
        Ok(copy)
    };
    make().map_err(|error| missing(layer, &error).error)
}

fn missing(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        &format!("cannot use the layer {}", path.display()),
        error,
        "",
    )
}

/// The layers under the names that the kernel is told.
#[derive(Default)]
struct Layers {
    lower: Vec<PathBuf>,
    /// Upper and work directory.
    writable: Option<(PathBuf, PathBuf)>,
    /// Keeps the descriptors in the names open.
    open: Vec<OwnedFd>,
}

impl Layers {
    /// The name of a layer: its path, or a descriptor if ids are mapped or the path cannot be told as it is.
    fn name(
        &mut self,
        path: &Path,
        userns: Option<BorrowedFd<'_>>,
        private: bool,
    ) -> io::Result<PathBuf> {
        let layer = match userns {
            Some(userns) => mapped(path, userns, private)?,
            None if is_plain(path) => return Ok(path.to_owned()),
            None => openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?,
        };
        Ok(self.keep(layer))
    }

    /// The names of upper and work directory, which the kernel wants to be on the same mount, so that only a directory above both can
    /// be mapped.
    fn writable(
        &mut self,
        upper: &Path,
        work: &Path,
        userns: Option<BorrowedFd<'_>>,
        private: bool,
    ) -> io::Result<(PathBuf, PathBuf)> {
        let Some(userns) = userns else {
            return Ok((
                self.name(upper, None, private)?,
                self.name(work, None, private)?,
            ));
        };
        let common = upper
            .ancestors()
            .find(|above| work.starts_with(above))
            .unwrap_or(Path::new("/"));
        let copy = mapped(common, userns, private)?;
        let mut inside = |path: &Path| {
            let below = path.strip_prefix(common).unwrap_or(path);
            openat(&copy, below, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
                .map(|fd| self.keep(fd))
        };
        let names = (inside(upper)?, inside(work)?);
        self.open.push(copy);
        Ok(names)
    }

    /// Takes on the ids of the upper directory's owner as far as `mapped`. The kernel makes files for the overlay as whoever mounts it,
    /// and the host's root is nobody in a mapped layer: the overlay would turn out read-only.
    fn owner(&self, mapped: bool) -> std::result::Result<Option<FsIds>, Failure> {
        let Some((upper, _)) = self.writable.as_ref().filter(|_| mapped) else {
            return Ok(None);
        };
        let assume = || {
            let stat = stat(upper)?;
            FsIds::assume(Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid))
        };
        let owner = assume().map_err(|error| missing(upper, &error))?;
        Ok(Some(owner))
    }

    fn keep(&mut self, fd: OwnedFd) -> PathBuf {
        let name = fd_name(&fd).into();
        self.open.push(fd);
        name
    }

    fn mount(&self) -> std::result::Result<OwnedFd, Failure> {
        let fail = |error: io::Error, words: String| {
            Failure::new("cannot mount the layers", &error, &words)
        };
        let context = FsContext::open("overlay").map_err(|error| fail(error, String::new()))?;
        let cannot = |what: &Path, error: io::Error| {
            let what = format!("cannot use the layer {}", what.display());
            Failure::new(&what, &error, &context.message())
        };
        for layer in &self.lower {
            context
                .string("lowerdir+", layer)
                .map_err(|error| cannot(layer, error))?;
        }
        if let Some((upper, work)) = &self.writable {
            context
                .string("upperdir", upper)
                .map_err(|error| cannot(upper, error))?;
            context
                .string("workdir", work)
                .map_err(|error| cannot(work, error))?;
        }
        let make = || {
            PLAIN
                .iter()
                .try_for_each(|(key, value)| context.string(key, value))?;
            if in_user_namespace() {
                context.flag("userxattr")?;
            }
            let read_only = self.writable.is_none();
            context.mount(if read_only {
                Attr::MOUNT_ATTR_RDONLY
            } else {
                Attr::empty()
            })
        };
        make().map_err(|error| fail(error, context.message()))
    }
}

/// A copy of the mount at `path` with its ids mapped. Older kernels want it attached, wherever that is.
fn mapped(path: &Path, userns: BorrowedFd<'_>, private: bool) -> io::Result<OwnedFd> {
    let copy = bind::clone_at(path, Depth::Top)?;
    mount_setattr(
        &copy,
        false,
        &MountAttr {
            userns: Some(userns),
            ..MountAttr::default()
        },
    )?;
    if private {
        attach(
            &copy,
            openat(CWD, "/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?,
        )?;
    }
    Ok(copy)
}

/// Whether the kernel reads the path as it is: upper and work directory would lose their backslashes.
fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.len() <= MAX_TEXT && !bytes.contains(&b'\\')
}

fn fd_name(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

/// Whether the caller is outside of the initial user namespace: overlay's marks go into `user.` attributes instead of `trusted.` ones
/// there, and ids of files that it does not own cannot be mapped.
pub(super) fn in_user_namespace() -> bool {
    stat("/proc/self/ns/user").is_ok_and(|stat| stat.st_ino != INITIAL_USERNS)
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
