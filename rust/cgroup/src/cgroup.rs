//! The type that stands for one control group in every hierarchy at once.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    fs,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use rustix::process::Pid;

use crate::{
    Driver, Error, Result, create,
    dir::Dir,
    layout::{Hierarchy, Layout},
    path::{self, Location},
};

/// One control group, in all hierarchies that hold it.
#[derive(Debug)]
pub struct Cgroup {
    path: String,
    groups: Vec<Group>,
}

/// The group's directory in one hierarchy.
#[derive(Debug)]
pub(crate) struct Group {
    /// As in `/proc/self/cgroup`, empty for version 2.
    name: String,
    pub(crate) local_events: bool,
    pub(crate) dir: Dir,
    controllers: OnceCell<Vec<String>>,
}

/// Where a controller's files are, and which version's they are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    V1(&'a Dir),
    V2(&'a Dir),
}

impl Cgroup {
    /// Makes the group in every hierarchy, ready to be joined, with its parents where they are missing.
    ///
    /// A group that is there already is taken over if it is empty. Hierarchies that may not be written to are left
    /// out; a limit that needs one of them fails when it is [applied](Self::apply).
    ///
    /// # Errors
    /// [`Error::NotWritable`] where no hierarchy may be written to; [`Error::Populated`]; a bad `cgroups_path`; and
    /// whatever the kernel says. Nothing that was made stays behind.
    pub fn create(cgroups_path: &str, driver: Driver) -> Result<Self> {
        let location = Location::parse(cgroups_path, driver)?;
        Self::create_in(Layout::host()?, cgroups_path, &location)
    }

    pub(crate) fn create_in(layout: &Layout, text: &str, location: &Location) -> Result<Self> {
        let mut group = Self {
            path: text.to_owned(),
            groups: Vec::with_capacity(layout.hierarchies.len()),
        };
        let mut made = Vec::new();
        for hierarchy in &layout.hierarchies {
            match create::group(hierarchy, location) {
                Ok((dir, fresh)) => {
                    made.extend(fresh.then(|| dir.path().to_owned()));
                    group.groups.push(Group::new(hierarchy, dir));
                }
                Err(error) if error.is_permission() => {}
                Err(error) => return Err(create::undo(&made, error)),
            }
        }
        if group.groups.is_empty() {
            return Err(Error::NotWritable {
                path: text.to_owned(),
            });
        }
        if made.len() < group.groups.len() {
            group
                .take_over()
                .map_err(|error| create::undo(&made, error))?;
        }
        Ok(group)
    }

    /// A group that was there before us may be used if nobody is in it.
    fn take_over(&self) -> Result<()> {
        if !self.pids()?.is_empty() {
            return Err(Error::Populated {
                path: self.path.clone(),
            });
        }
        if self.frozen()? { self.thaw() } else { Ok(()) }
    }

    /// Opens a group that [`create`](Self::create) made, in this process or another.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no hierarchy holds it.
    pub fn open(cgroups_path: &str, driver: Driver) -> Result<Self> {
        let location = Location::parse(cgroups_path, driver)?;
        Self::open_in(Layout::host()?, cgroups_path, &location)
    }

    /// Opens the group that the `cgroupsPath` of a document names; its form tells the driver.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_document(cgroups_path: &str) -> Result<Self> {
        Self::open(cgroups_path, path::driver_of(cgroups_path))
    }

    pub(crate) fn open_in(layout: &Layout, text: &str, location: &Location) -> Result<Self> {
        let places = layout
            .hierarchies
            .iter()
            .map(|hierarchy| (hierarchy, create::place(hierarchy, location)));
        Self::collect(text, places)
    }

    /// Opens the directories that [`paths`](Self::paths) once named.
    ///
    /// # Errors
    /// [`Error::NotFound`] if none of them is there.
    pub fn from_paths(cgroups_path: &str, paths: &BTreeMap<String, PathBuf>) -> Result<Self> {
        let hierarchies = &Layout::host()?.hierarchies;
        let places = hierarchies
            .iter()
            .filter_map(|h| paths.get(&h.name).map(|path| (h, path.clone())));
        Self::collect(cgroups_path, places)
    }

    fn collect<'a>(
        text: &str,
        places: impl Iterator<Item = (&'a Hierarchy, PathBuf)>,
    ) -> Result<Self> {
        let mut groups = Vec::new();
        for (hierarchy, path) in places {
            match Dir::open(path) {
                Ok(dir) => groups.push(Group::new(hierarchy, dir)),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        if groups.is_empty() {
            return Err(Error::NotFound {
                path: text.to_owned(),
            });
        }
        Ok(Self {
            path: text.to_owned(),
            groups,
        })
    }

    /// The `cgroupsPath` this group was asked for by.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The group's directories by hierarchy, as `/proc/<pid>/cgroup` names those; version 2 has the empty name.
    pub fn paths(&self) -> BTreeMap<String, PathBuf> {
        self.groups
            .iter()
            .map(|group| (group.name.clone(), group.dir.path().to_owned()))
            .collect()
    }

    /// The group in the version 2 hierarchy, for `CLONE_INTO_CGROUP` (clone(2)).
    pub fn unified_fd(&self) -> Option<BorrowedFd<'_>> {
        self.unified().map(|group| group.dir.as_fd())
    }

    /// Whether any hierarchy of version 1 holds the group.
    pub(crate) fn has_v1(&self) -> bool {
        self.groups.iter().any(|group| !group.is_v2())
    }

    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    pub(crate) fn unified(&self) -> Option<&Group> {
        self.groups.iter().find(|group| group.is_v2())
    }

    /// The directory of a version 1 controller or named hierarchy.
    pub(crate) fn v1(&self, controller: &str) -> Option<&Dir> {
        self.groups
            .iter()
            .find(|group| group.name.split(',').any(|name| name == controller))
            .map(|group| &group.dir)
    }

    /// Where `v1` and `v2`, one controller's names in the two versions, can be set.
    pub(crate) fn place(&self, v1: &str, v2: &str) -> Option<Place<'_>> {
        if let Some(dir) = self.v1(v1) {
            return Some(Place::V1(dir));
        }
        let unified = self.unified()?;
        unified
            .controllers()
            .iter()
            .any(|name| name == v2)
            .then_some(Place::V2(&unified.dir))
    }
}

impl Group {
    fn new(hierarchy: &Hierarchy, dir: Dir) -> Self {
        Self {
            name: hierarchy.name.clone(),
            local_events: hierarchy.local_events,
            dir,
            controllers: OnceCell::new(),
        }
    }

    pub(crate) fn is_v2(&self) -> bool {
        self.name.is_empty()
    }

    /// Controllers that version 2 offers in this group.
    pub(crate) fn controllers(&self) -> &[String] {
        self.controllers.get_or_init(|| {
            let text = self.dir.read("cgroup.controllers").unwrap_or_default();
            text.split_whitespace().map(str::to_owned).collect()
        })
    }
}

/// The version 2 group of a running process, for `CLONE_INTO_CGROUP`.
///
/// A program in the container may have made groups of its own and moved into them; then the container's group takes no
/// more processes (`EBUSY`), and a process that enters later must go where the container's first process is.
///
/// # Errors
/// When there is no version 2 hierarchy or no such process.
pub fn unified_fd_of(pid: Pid) -> Result<OwnedFd> {
    let file = format!("/proc/{pid}/cgroup");
    let text = fs::read_to_string(&file).map_err(|error| Error::io("read", &file, error))?;
    let inside = text
        .lines()
        .find_map(|line| line.strip_prefix("0::/"))
        .ok_or(Error::NoHierarchy)?;
    let hierarchy = Layout::host()?
        .hierarchies
        .iter()
        .find(|h| h.is_v2())
        .ok_or(Error::NoHierarchy)?;
    Dir::open(hierarchy.mount.join(inside)).map(Dir::into_fd)
}
