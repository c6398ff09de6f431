//! Groups that clean up after themselves.

use std::{
    fs,
    ops::Deref,
    path::PathBuf,
    time::{Duration, Instant},
};

use pyctr_cgroup::{Cgroup, Driver, Info, Resources, Version};

/// A group of one test; killed and removed at the end.
pub struct Group(Cgroup);

impl Group {
    pub fn new(name: &str) -> Self {
        Self(Cgroup::create(&path(name), Driver::Cgroupfs).expect("the group is made"))
    }

    pub fn with(name: &str, resources: serde_json::Value) -> Self {
        let group = Self::new(name);
        group.apply(&parse(resources)).expect("the limits are set");
        group
    }

    pub fn change(&self, resources: serde_json::Value) -> pyctr_cgroup::Result<()> {
        self.update(&parse(resources))
    }

    /// The directory that holds a controller's files; on version 2 there is only one.
    pub fn dir(&self, controller: &str) -> PathBuf {
        let paths = self.paths();
        let found = paths
            .iter()
            .find(|(name, _)| name.split(',').any(|part| part == controller));
        found.map_or_else(|| paths[""].clone(), |(_, path)| path.clone())
    }

    pub fn read(&self, controller: &str, file: &str) -> String {
        let path = self.dir(controller).join(file);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .trim()
            .to_owned()
    }

    pub fn write(&self, controller: &str, file: &str, value: &str) {
        fs::write(self.dir(controller).join(file), value).expect("the file is written by hand");
    }
}

impl Deref for Group {
    type Target = Cgroup;

    fn deref(&self) -> &Cgroup {
        &self.0
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let done = self.0.kill().and_then(|()| self.0.remove());
        if let (Err(error), false) = (done, std::thread::panicking()) {
            panic!("the group cannot be cleaned up: {error}");
        }
    }
}

pub fn parse(resources: serde_json::Value) -> Resources {
    serde_json::from_value(resources).expect("they are resources")
}

/// The parent of all groups of this run.
fn top() -> String {
    format!("/pyctr-test-{}", std::process::id())
}

pub fn path(name: &str) -> String {
    format!("{}/{name}", top())
}

pub fn v2() -> bool {
    Info::read().expect("the machine can be looked at").version == Version::V2
}

pub fn version() -> &'static str {
    Info::read()
        .expect("the machine can be looked at")
        .version
        .as_str()
}

/// One of two names, by the machine's version.
pub fn either(v1: &'static str, v2_name: &'static str) -> &'static str {
    if v2() { v2_name } else { v1 }
}

/// Whether tests can run here.
pub fn usable() -> Result<(), String> {
    let probe =
        Cgroup::create(&path("probe"), Driver::Cgroupfs).map_err(|error| error.to_string())?;
    probe.remove().map_err(|error| error.to_string())
}

/// Removes the parent of all groups. Gives what could not be removed.
pub fn sweep() -> Vec<String> {
    let Ok(group) = Cgroup::open(&top(), Driver::Cgroupfs) else {
        return Vec::new();
    };
    let below: Vec<String> = group.paths().values().flat_map(subdirectories).collect();
    match group.remove() {
        Ok(()) => below,
        Err(error) => vec![error.to_string()],
    }
}

fn subdirectories(path: &PathBuf) -> Vec<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.path().display().to_string())
        .collect()
}

/// Waits for something that comes soon. Panics if it does not come at all.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "this never came: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
