//! The environment of a process: what the document says, and a home.

use std::collections::{BTreeMap, btree_map::Entry};

use pyctr_sys::root::Root;

use super::user;
use crate::error::Result;

/// The environment that a program gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment(Vec<String>);

impl Environment {
    /// The entries of the document. Those without `=` are left out, as they can mean nothing; of two with one name the later counts.
    pub(crate) fn new(entries: &[String]) -> Self {
        let mut kept = Vec::<String>::with_capacity(entries.len() + 1);
        // An image may have a hundred thousand of them, so each is found without a search through all.
        let mut places = BTreeMap::<&str, usize>::new();
        for entry in entries {
            let Some((name, _)) = entry.split_once('=').filter(|(name, _)| !name.is_empty()) else {
                continue;
            };
            match places.entry(name) {
                Entry::Occupied(place) => kept[*place.get()].clone_from(entry),
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(entry.clone());
                }
            }
        }
        Self(kept)
    }

    /// The value of a variable.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|entry| has_name(entry, name))
            .map(|entry| &entry[name.len() + 1..])
    }

    /// Sets `HOME` where the document does not: to the one known, else to that of the user id, else to `/`.
    pub(crate) fn set_home(&mut self, root: &Root, known: Option<String>, uid: u32) -> Result<()> {
        if self.get("HOME").is_some_and(|home| !home.is_empty()) {
            return Ok(());
        }
        self.0.retain(|entry| !has_name(entry, "HOME"));
        let home = match known {
            Some(home) => Some(home),
            None => user::home_of(root, uid)?,
        };
        self.0
            .push(format!("HOME={}", home.as_deref().unwrap_or("/")));
        Ok(())
    }

    /// The entries, `NAME=value`.
    pub(crate) fn into_entries(self) -> Vec<String> {
        self.0
    }
}

fn has_name(entry: &str, name: &str) -> bool {
    entry
        .strip_prefix(name)
        .is_some_and(|rest| rest.starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_entries_win_and_broken_ones_go() {
        let entries = ["A=1", "broken", "=x", "AB=2", "A=3", "EMPTY="].map(str::to_owned);
        let environment = Environment::new(&entries);
        assert_eq!(environment.get("A"), Some("3"));
        assert_eq!(environment.get("EMPTY"), Some(""));
        assert_eq!(environment.get("broken"), None);
        assert_eq!(environment.into_entries(), ["A=3", "AB=2", "EMPTY="]);
    }

    #[test]
    fn home_is_the_users() {
        let root = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(root.path().join("etc")).expect("made");
        std::fs::write(
            root.path().join("etc/passwd"),
            "joe:x:7:7::/home/joe:/bin/sh\n",
        )
        .expect("written");
        let root = Root::open_dir(root.path()).expect("opened");
        let home = |entries: &[&str], uid| {
            let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
            let mut environment = Environment::new(&entries);
            environment.set_home(&root, None, uid).expect("read");
            environment.get("HOME").map(str::to_owned)
        };
        assert_eq!(home(&[], 7).as_deref(), Some("/home/joe"));
        assert_eq!(home(&["HOME="], 7).as_deref(), Some("/home/joe"));
        assert_eq!(home(&[], 8).as_deref(), Some("/"));
        assert_eq!(home(&["HOME=/x"], 7).as_deref(), Some("/x"));
    }
}
