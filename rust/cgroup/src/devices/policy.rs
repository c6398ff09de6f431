//! A list of rules brought into the one form that version 1 can hold: a default, and exceptions from it.

use std::{collections::BTreeMap, fmt};

use crate::{DeviceKind, DeviceRule, Error, Result};

/// Letters out of `rwm` as bits; the values are those of `struct bpf_cgroup_dev_ctx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access(pub(super) u8);

impl Access {
    pub(super) const MKNOD: Self = Self(1);
    pub(super) const READ: Self = Self(2);
    pub(super) const WRITE: Self = Self(4);
    pub(super) const ALL: Self = Self(7);

    /// Absent and empty mean all three.
    pub(super) fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(Self::ALL);
        };
        text.chars().try_fold(Self(0), |sum, letter| match letter {
            'r' => Ok(Self(sum.0 | Self::READ.0)),
            'w' => Ok(Self(sum.0 | Self::WRITE.0)),
            'm' => Ok(Self(sum.0 | Self::MKNOD.0)),
            _ => Err(Error::Invalid {
                key: "devices.access",
                reason: format!("{text:?} has other letters than r, w and m"),
            }),
        })
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = [(Self::READ, "r"), (Self::WRITE, "w"), (Self::MKNOD, "m")];
        letters
            .into_iter()
            .filter(|(bit, _)| self.0 & bit.0 != 0)
            .try_for_each(|(_, letter)| f.write_str(letter))
    }
}

/// Some devices of one kind; an absent number stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Devices {
    pub(super) block: bool,
    pub(super) major: Option<u32>,
    pub(super) minor: Option<u32>,
}

impl Devices {
    fn covers(self, other: Self) -> bool {
        let number = |mine: Option<u32>, theirs| mine.is_none() || mine == theirs;
        self.block == other.block
            && number(self.major, other.major)
            && number(self.minor, other.minor)
    }

    fn overlaps(self, other: Self) -> bool {
        let number = |a: Option<u32>, b: Option<u32>| a.is_none() || b.is_none() || a == b;
        self.block == other.block
            && number(self.major, other.major)
            && number(self.minor, other.minor)
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |number: Option<u32>| number.map_or("*".to_owned(), |number| number.to_string());
        let kind = if self.block { 'b' } else { 'c' };
        write!(f, "{kind} {}:{}", number(self.major), number(self.minor))
    }
}

/// A number of a rule; negative is a wildcard.
pub(super) fn number(key: &'static str, value: Option<i64>) -> Result<Option<u32>> {
    match value {
        Some(value) if value >= 0 => u32::try_from(value).map(Some).map_err(|_| Error::Invalid {
            key,
            reason: format!("{value} is too large"),
        }),
        _ => Ok(None),
    }
}

/// The devices of a rule: one kind, or both.
pub(super) fn devices(rule: &DeviceRule) -> Result<Vec<Devices>> {
    let major = number("devices.major", rule.major)?;
    let minor = number("devices.minor", rule.minor)?;
    let kinds: &[bool] = match rule.kind {
        Some(DeviceKind::Char) => &[false],
        Some(DeviceKind::Block) => &[true],
        Some(DeviceKind::All) | None => &[false, true],
    };
    Ok(kinds
        .iter()
        .map(|block| Devices {
            block: *block,
            major,
            minor,
        })
        .collect())
}

/// What is allowed: `default`, except for these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) default: bool,
    pub(super) exceptions: BTreeMap<Devices, u8>,
}

impl Policy {
    /// The outcome of the rules, one after the other, where nothing is allowed at first.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a rule that version 1 cannot express: one that takes a part out of a wildcard.
    pub(super) fn of(rules: &[DeviceRule]) -> Result<Self> {
        let mut policy = Self::default();
        for rule in rules {
            let access = Access::parse(rule.access.as_deref())?;
            let devices = devices(rule)?;
            if devices.len() == 2
                && access == Access::ALL
                && devices
                    .iter()
                    .all(|d| d.major.is_none() && d.minor.is_none())
            {
                policy = Self {
                    default: rule.allow,
                    exceptions: BTreeMap::new(),
                };
                continue;
            }
            for devices in devices {
                policy.apply(rule.allow, devices, access)?;
            }
        }
        Ok(policy)
    }

    fn apply(&mut self, allow: bool, devices: Devices, access: Access) -> Result<()> {
        if allow != self.default {
            *self.exceptions.entry(devices).or_default() |= access.0;
            return Ok(());
        }
        for (exception, bits) in &mut self.exceptions {
            if devices.covers(*exception) {
                *bits &= !access.0;
            } else if devices.overlaps(*exception) && *bits & access.0 != 0 {
                let (verb, bits) = (if allow { "allow" } else { "deny" }, Access(*bits));
                let reason = format!(
                    "cgroup v1 cannot {verb} {devices} {access} inside of {exception} {bits}"
                );
                return Err(Error::Invalid {
                    key: "devices",
                    reason,
                });
            }
        }
        self.exceptions.retain(|_, bits| *bits != 0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> DeviceRule {
        let words: Vec<&str> = text.split(' ').collect();
        let number = |text: &str| text.parse().ok();
        let (major, minor) = words
            .get(2)
            .and_then(|numbers| numbers.split_once(':'))
            .unwrap_or(("*", "*"));
        DeviceRule {
            allow: words[0] == "allow",
            kind: serde_json::from_value(words[1].into()).ok(),
            major: number(major),
            minor: number(minor),
            access: words.get(3).map(|access| (*access).to_owned()),
        }
    }

    fn policy(rules: &[&str]) -> Result<Policy> {
        Policy::of(&rules.iter().map(|text| rule(text)).collect::<Vec<_>>())
    }

    fn shown(rules: &[&str]) -> Vec<String> {
        let policy = policy(rules).expect("version 1 can hold it");
        let exceptions = policy
            .exceptions
            .iter()
            .map(|(devices, bits)| format!("{devices} {}", Access(*bits)));
        [policy.default.to_string()]
            .into_iter()
            .chain(exceptions)
            .collect()
    }

    #[test]
    fn nothing_is_allowed_at_first() {
        assert_eq!(shown(&[]), ["false"]);
        assert_eq!(
            shown(&["allow c 1:3 r", "allow c 1:3 w"]),
            ["false", "c 1:3 rw"]
        );
    }

    #[test]
    fn a_rule_for_all_starts_over() {
        assert_eq!(shown(&["allow c 1:3 r", "allow a"]), ["true"]);
        assert_eq!(
            shown(&["allow a", "deny a *:* rwm", "allow b 8:* rw"]),
            ["false", "b 8:* rw"]
        );
        assert_eq!(shown(&["allow a", "deny c 1:3 w"]), ["true", "c 1:3 w"]);
    }

    #[test]
    fn taking_back_what_was_given() {
        assert_eq!(
            shown(&["allow c 1:3 rwm", "deny c 1:3 w"]),
            ["false", "c 1:3 rm"]
        );
        assert_eq!(shown(&["allow c 1:3 rw", "deny c *:* rwm"]), ["false"]);
        assert_eq!(
            shown(&["allow a", "deny c 1:3 w", "allow c 1:* w"]),
            ["true"]
        );
        assert_eq!(
            shown(&["allow c *:* m", "deny c 1:3 rw"]),
            ["false", "c *:* m"]
        );
    }

    #[test]
    fn a_kind_of_all_with_numbers_speaks_of_both_kinds() {
        assert_eq!(shown(&["allow a 1:3 r"]), ["false", "c 1:3 r", "b 1:3 r"]);
        assert_eq!(shown(&["allow a *:* m"]), ["false", "c *:* m", "b *:* m"]);
    }

    #[test]
    fn a_hole_in_a_wildcard_is_refused() {
        let error =
            policy(&["allow c 1:* rwm", "deny c 1:3 w"]).expect_err("it would have no effect");
        assert_eq!(
            error.to_string(),
            "devices: cgroup v1 cannot deny c 1:3 w inside of c 1:* rwm"
        );
        assert!(policy(&["allow a", "deny c *:* rwm", "allow c 1:3 r"]).is_err());
    }

    #[test]
    fn what_is_no_rule() {
        let bad = |change: &dyn Fn(&mut DeviceRule)| {
            let mut rule = rule("allow c 1:3 rwm");
            change(&mut rule);
            Policy::of(&[rule]).expect_err("it is refused").to_string()
        };
        assert_eq!(
            bad(&|rule| rule.access = Some("rx".into())),
            "devices.access: \"rx\" has other letters than r, w and m"
        );
        assert_eq!(
            bad(&|rule| rule.major = Some(1 << 40)),
            "devices.major: 1099511627776 is too large"
        );
    }
}
