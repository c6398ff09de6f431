//! The five capability sets, see `capabilities(7)`.

use rustix::{
    io::Errno,
    thread::{
        CapabilitySet, CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
        configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
    },
};

use crate::{
    error::{Context, Result},
    spec::Capabilities,
};

/// The sets as bits, reduced to what this process may hand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sets {
    bounding: CapabilitySet,
    effective: CapabilitySet,
    permitted: CapabilitySet,
    inheritable: CapabilitySet,
    ambient: CapabilitySet,
}

impl Sets {
    /// What the document asks for, as far as the caller's own bounding set has it. The rest is told to `warn`.
    pub(crate) fn new(wanted: Option<&Capabilities>, warn: &mut dyn FnMut(String)) -> Self {
        let own = own_bounding();
        let none = Capabilities::default();
        let wanted = wanted.unwrap_or(&none);
        let mut missing = Vec::new();
        let mut set = |names: &[String]| {
            let mut bits = CapabilitySet::empty();
            for name in names {
                match by_name(name).filter(|bit| own.contains(*bit)) {
                    Some(bit) => bits |= bit,
                    None if missing.contains(name) => {}
                    None => missing.push(name.clone()),
                }
            }
            bits
        };
        let permitted = set(&wanted.permitted);
        let inheritable = set(&wanted.inheritable);
        let sets = Self {
            bounding: set(&wanted.bounding),
            effective: set(&wanted.effective) & permitted,
            permitted,
            inheritable,
            ambient: set(&wanted.ambient) & permitted & inheritable,
        };
        if !missing.is_empty() {
            warn(format!(
                "capabilities unknown or not available here are left out: {}",
                missing.join(", ")
            ));
        }
        sets
    }

    /// Drops what is not in the bounding set; needs `CAP_SETPCAP`, so it comes before the change of the user.
    pub(crate) fn drop_bounding(&self) -> Result<()> {
        for bit in every().filter(|bit| !self.bounding.contains(*bit)) {
            match remove_capability_from_bounding_set(bit) {
                // The kernel knows no such capability; or we may not, and it is not there anyway.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(Errno::PERM) if capability_is_in_bounding_set(bit) == Ok(false) => {}
                Err(errno) => {
                    return Err(errno).context(|| "cannot drop capabilities from the bounding set");
                }
            }
        }
        Ok(())
    }

    /// Makes effective what will be in the end, as far as the caller still holds it.
    pub(crate) fn raise(&self) -> std::result::Result<(), Errno> {
        let sets = rustix::thread::capabilities(None)?;
        set_capabilities(
            None,
            CapabilitySets {
                effective: self.effective & sets.permitted,
                ..sets
            },
        )
    }

    /// Sets the other four: the very last change of rights.
    pub(crate) fn apply(&self) -> std::result::Result<(), Errno> {
        match clear_ambient_capability_set() {
            Ok(()) | Err(Errno::INVAL) => {}
            Err(errno) => return Err(errno),
        }
        let Self {
            effective,
            permitted,
            inheritable,
            ..
        } = *self;
        set_capabilities(
            None,
            CapabilitySets {
                effective,
                permitted,
                inheritable,
            },
        )?;
        for bit in self.ambient.iter() {
            configure_capability_in_ambient_set(bit, true)?;
        }
        Ok(())
    }
}

/// Everything the caller holds made effective again, after a change of the user id cleared it.
pub(crate) fn raise_effective() -> std::result::Result<(), Errno> {
    let sets = rustix::thread::capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: sets.permitted,
            ..sets
        },
    )
}

fn own_bounding() -> CapabilitySet {
    every()
        .filter(|bit| capability_is_in_bounding_set(*bit) == Ok(true))
        .collect()
}

/// All capabilities there are names for.
fn every() -> impl Iterator<Item = CapabilitySet> {
    CapabilitySet::all().iter_names().map(|(_, bit)| bit)
}

/// The capability called `CAP_…`.
fn by_name(name: &str) -> Option<CapabilitySet> {
    CapabilitySet::from_name(name.strip_prefix("CAP_")?)
}

/// The names of all capabilities known, as `CAP_…`, in the order of their numbers.
#[must_use]
pub fn capability_names() -> Vec<String> {
    CapabilitySet::all()
        .iter_names()
        .map(|(name, _)| format!("CAP_{name}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_manual() {
        let names = capability_names();
        assert_eq!(names.first().map(String::as_str), Some("CAP_CHOWN"));
        assert_eq!(
            names.last().map(String::as_str),
            Some("CAP_CHECKPOINT_RESTORE")
        );
        assert_eq!(names.len(), 41);
        assert_eq!(
            by_name("CAP_SYS_ADMIN").map(|bit| bit.bits()),
            Some(1 << 21)
        );
        assert_eq!(by_name("SYS_ADMIN"), None);
        assert_eq!(by_name("CAP_FLY"), None);
    }

    #[test]
    fn unknown_ones_are_left_out_and_told() {
        let wanted = Capabilities {
            bounding: vec!["CAP_FLY".into()],
            ..Capabilities::default()
        };
        let mut warnings = Vec::new();
        let sets = Sets::new(Some(&wanted), &mut |warning| warnings.push(warning));
        assert!(sets.bounding.is_empty());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].ends_with("CAP_FLY"));
    }

    #[test]
    fn ambient_needs_inheritable_and_permitted() {
        let chown = || vec!["CAP_CHOWN".to_owned()];
        let wanted = Capabilities {
            ambient: chown(),
            permitted: chown(),
            bounding: chown(),
            ..Capabilities::default()
        };
        let sets = Sets::new(Some(&wanted), &mut |_| {});
        assert!(sets.ambient.is_empty());
    }
}
