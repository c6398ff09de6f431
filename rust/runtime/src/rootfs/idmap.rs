//! Id-mapped mounts: files of the host's ids seen as those of the container.

use std::{
    fmt::Write as _,
    fs::File,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
};

use pyctr_sys::mount_userns::userns_with_maps;

use crate::{
    error::{Context as _, Error, Kind, Result},
    spec::{IdMapping, Linux, NamespaceType},
};

/// The user namespaces that describe mappings, each made when first asked for.
pub(super) struct IdMaps<'spec> {
    linux: &'spec Linux,
    container: Option<OwnedFd>,
    other: Vec<(String, String, OwnedFd)>,
}

impl<'spec> IdMaps<'spec> {
    pub(super) fn new(linux: &'spec Linux) -> Self {
        Self {
            linux,
            container: None,
            other: Vec::new(),
        }
    }

    /// A user namespace with the container's mapping.
    pub(super) fn container(&mut self) -> Result<BorrowedFd<'_>> {
        if self.container.is_none() {
            self.container = Some(of_container(self.linux)?);
        }
        self.container
            .as_ref()
            .map(|fd| fd.as_fd())
            .ok_or_else(|| Error::new(Kind::Setup, "no user namespace"))
    }

    /// A user namespace with this mapping.
    pub(super) fn of(&mut self, uids: &[IdMapping], gids: &[IdMapping]) -> Result<BorrowedFd<'_>> {
        let (uids, gids) = (lines(uids), lines(gids));
        let found = self
            .other
            .iter()
            .position(|(u, g, _)| (u, g) == (&uids, &gids));
        let index = match found {
            Some(index) => index,
            None => {
                let userns = userns_with_maps(&uids, &gids)
                    .context(|| "cannot make a user namespace for the mapping")?;
                self.other.push((uids, gids, userns));
                self.other.len() - 1
            }
        };
        Ok(self.other[index].2.as_fd())
    }
}

fn of_container(linux: &Linux) -> Result<OwnedFd> {
    let namespace = linux.namespace(NamespaceType::User);
    let namespace = namespace.ok_or_else(|| {
        Error::new(
            Kind::Invalid,
            "there is no mapping, and the container has no user namespace",
        )
    })?;
    match &namespace.path {
        Some(path) => {
            let file = File::open(path)
                .context(|| format!("cannot open the user namespace {}", path.display()))?;
            Ok(file.into())
        }
        None => {
            let (uids, gids) = (lines(&linux.uid_mappings), lines(&linux.gid_mappings));
            userns_with_maps(&uids, &gids)
                .context(|| "cannot make a user namespace with the container's mapping")
        }
    }
}

/// As `/proc/<pid>/uid_map` takes them.
fn lines(maps: &[IdMapping]) -> String {
    maps.iter().fold(String::new(), |mut text, map| {
        let _ = writeln!(text, "{} {} {}", map.container_id, map.host_id, map.size);
        text
    })
}
