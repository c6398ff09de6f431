//! `devices.allow`, `devices.deny` and `devices.list`.

use super::policy::{Access, Devices, Policy};
use crate::{DeviceRule, Error, Result, dir::Dir};

pub(super) fn set(dir: &Dir, rules: &[DeviceRule]) -> Result<()> {
    let target = Policy::of(rules)?;
    let list = dir.read("devices.list")?;
    let current =
        parse(&list).ok_or_else(|| Error::parse(dir.path().join("devices.list"), list))?;
    for some in steps(&current, &target).chunk_by(|one, next| one.0 == next.0) {
        let entries: Vec<&str> = some.iter().map(|(_, entry)| entry.as_str()).collect();
        dir.write_each(some[0].0, &entries)?;
    }
    Ok(())
}

/// What to write, into which file, to come from one policy to another.
///
/// Only what differs is touched, and the default only if it must: the kernel refuses that once there are groups below.
fn steps(current: &Policy, target: &Policy) -> Vec<(&'static str, String)> {
    let (except, back) = if target.default {
        ("devices.deny", "devices.allow")
    } else {
        ("devices.allow", "devices.deny")
    };
    let mut steps = Vec::new();
    // A group that allows by default does not list its exceptions, so only starting over is certain.
    let over =
        current.default != target.default || (target.default && !target.exceptions.is_empty());
    if over {
        steps.push((back, "a".to_owned()));
    }
    let nothing = Policy {
        default: target.default,
        ..Policy::default()
    };
    let current = if over { &nothing } else { current };
    steps.extend(difference(current, target).map(|entry| (back, entry)));
    steps.extend(difference(target, current).map(|entry| (except, entry)));
    steps
}

/// Exceptions of `a` that `b` does not have.
fn difference<'a>(a: &'a Policy, b: &'a Policy) -> impl Iterator<Item = String> + 'a {
    a.exceptions.iter().filter_map(|(devices, bits)| {
        let bits = bits & !b.exceptions.get(devices).copied().unwrap_or(0);
        (bits != 0).then(|| format!("{devices} {}", Access(bits)))
    })
}

/// Reads `devices.list`.
fn parse(list: &str) -> Option<Policy> {
    let mut policy = Policy::default();
    for line in list.lines() {
        let mut words = line.split_whitespace();
        let (kind, numbers, access) = (words.next()?, words.next()?, words.next()?);
        if kind == "a" {
            policy.default = true;
            continue;
        }
        let (major, minor) = numbers.split_once(':')?;
        let number = |text: &str| {
            if text == "*" {
                Some(None)
            } else {
                text.parse().ok().map(Some)
            }
        };
        let devices = Devices {
            block: kind == "b",
            major: number(major)?,
            minor: number(minor)?,
        };
        *policy.exceptions.entry(devices).or_default() |= Access::parse(Some(access)).ok()?.0;
    }
    Some(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(from: &str, to: &str) -> Vec<String> {
        let policy = |text| parse(text).expect("it is a list");
        steps(&policy(from), &policy(to))
            .into_iter()
            .map(|(file, entry)| format!("{file} {entry}"))
            .collect()
    }

    #[test]
    fn a_new_group_is_closed_first_and_then_opened_a_little() {
        let wanted = [
            "devices.deny a",
            "devices.allow c 1:3 rwm",
            "devices.allow b *:* m",
        ];
        assert_eq!(changes("a *:* rwm", "c 1:3 rwm\nb *:* m"), wanted);
        assert_eq!(changes("a *:* rwm", "a *:* rwm"), [] as [&str; 0]);
    }

    #[test]
    fn an_update_touches_only_what_differs() {
        assert_eq!(
            changes("c 1:3 rwm\nc 1:5 rw", "c 1:3 rm\nc 1:7 r\nc 1:5 rw"),
            ["devices.deny c 1:3 w", "devices.allow c 1:7 r"]
        );
        assert_eq!(changes("c 1:3 rwm", "c 1:3 rwm"), [] as [&str; 0]);
        assert_eq!(changes("c 1:3 rwm", "a *:* rwm"), ["devices.allow a"]);
    }

    #[test]
    fn hidden_exceptions_are_cleared() {
        assert_eq!(
            changes("a *:* rwm", "a *:* rwm\nc 1:3 w"),
            ["devices.allow a", "devices.deny c 1:3 w"]
        );
    }

    #[test]
    fn nonsense_is_no_list() {
        for bad in ["c", "c 1 rwm", "c x:1 r", "c 1:1 q"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
