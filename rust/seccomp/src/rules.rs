//! From names and actions to what happens to each number of one calling convention.
//!
//! The meaning is libseccomp's, as runc uses it: a rule without conditions beats those with conditions, and among
//! equals the first one counts; a rule that says what happens anyway is void; conditions of one rule must all hold,
//! except where two of them are about one argument: then each is a rule of its own.

use crate::abi::{ARM_PRIVATE, Abi, Syscall};
use crate::error::Error;
use crate::profile::{Action, Condition, Op, Profile, Rule};

/// What the kernel understands: `SECCOMP_RET_*`, with an errno or message in the lower half.
pub(crate) type Return = u32;

pub(crate) const KILL_PROCESS: Return = 0x8000_0000;
const ENOSYS: Return = 0x0005_0000 | 38;
const EPERM: u32 = 1;
const MAX_ERRNO: u32 = 4095;

/// What happens to a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Always this.
    Return(Return),
    /// The first clause whose conditions all hold; otherwise the default.
    Clauses(Vec<Clause>),
}

/// Conditions, all of which must hold, and what happens then.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) ret: Return,
}

/// A profile whose actions are numbers and whose names are looked up.
pub(crate) struct Rules<'a> {
    /// What happens to calls without a rule.
    pub(crate) default: Return,
    /// What happens to calls newer than all that the profile names.
    pub(crate) newer: Return,
    rules: Vec<(&'a Rule, Return, Vec<Syscall>)>,
}

/// A rule that applies to a number, by its place in the profile.
struct Entry {
    number: u32,
    rule: usize,
    /// Mask and value of the first argument through which a multiplexer selects the call.
    selector: Option<(u32, u32)>,
}

impl<'a> Rules<'a> {
    /// Checks and resolves `profile`.
    pub(crate) fn new(profile: &'a Profile) -> Result<Self, Error> {
        if profile.default_action == Action::Notify {
            return Err(Error::NotifyByDefault);
        }
        let default = action(profile.default_action, profile.default_errno_ret, || {
            "the default action".into()
        })?;
        // Whoever allows by default, or watches, wants to allow or watch the future too.
        let permissive = matches!(
            profile.default_action,
            Action::Allow | Action::Log | Action::Trace
        );
        let newer = if permissive { default } else { ENOSYS };
        let rules = profile
            .syscalls
            .iter()
            .map(resolve)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            default,
            newer,
            rules,
        })
    }

    /// The verdicts of `abi`, each with the first number it holds for, in rising order; the first number is 0 or,
    /// for x32, its bit. Neighbours differ.
    pub(crate) fn verdicts(&self, abi: Abi, start: u32) -> Vec<(u32, Verdict)> {
        let (entries, newest) = self.entries(abi);
        let mut verdicts = Verdicts {
            list: Vec::with_capacity(entries.len() / 2),
            rules: self,
            newest,
        };
        let mut next = start;
        for same in entries.chunk_by(|a, b| a.number == b.number) {
            let number = same[0].number;
            verdicts.gap(next, number);
            verdicts.push(number, self.verdict(same));
            next = number + 1;
        }
        verdicts.gap(next, u32::MAX);
        verdicts.list
    }

    /// Which rules say something about which number, sorted by number and then as in the profile, and the largest
    /// number that the profile names.
    fn entries(&self, abi: Abi) -> (Vec<Entry>, Option<u32>) {
        let mut entries = Vec::with_capacity(512);
        let mut newest = None;
        for (rule, (source, ret, syscalls)) in self.rules.iter().enumerate() {
            for syscall in syscalls {
                let number = syscall.number(abi);
                newest =
                    newest.max(number.filter(|number| abi != Abi::Arm || *number < ARM_PRIVATE));
                if *ret == self.default {
                    continue;
                }
                entries.extend(number.map(|number| Entry {
                    number,
                    rule,
                    selector: None,
                }));
                // A multiplexer has the arguments behind a pointer, where a filter cannot see them.
                if let Some(way) = syscall.multiplexed(abi).filter(|_| source.args.is_empty()) {
                    let (number, mask, value) = way.number_mask_value();
                    entries.push(Entry {
                        number,
                        rule,
                        selector: Some((mask, value)),
                    });
                }
            }
        }
        entries.sort_unstable_by_key(|entry| (entry.number, entry.rule));
        (entries, newest)
    }

    /// What happens to one number.
    fn verdict(&self, entries: &[Entry]) -> Verdict {
        let unconditional =
            |entry: &&Entry| entry.selector.is_none() && self.rules[entry.rule].0.args.is_empty();
        if let Some(entry) = entries.iter().find(unconditional) {
            return Verdict::Return(self.rules[entry.rule].1);
        }
        Verdict::Clauses(
            entries
                .iter()
                .flat_map(|entry| self.clauses(entry))
                .collect(),
        )
    }

    fn clauses(&self, entry: &Entry) -> Vec<Clause> {
        let (rule, ret, _) = &self.rules[entry.rule];
        let clause = |conditions: &[Condition]| Clause {
            conditions: conditions.to_vec(),
            ret: *ret,
        };
        if let Some((mask, value)) = entry.selector {
            let (value, value_two) = (mask.into(), value.into());
            return vec![clause(&[Condition {
                index: 0,
                value,
                value_two,
                op: Op::MaskedEq,
            }])];
        }
        let about_one_argument = |at: usize| {
            rule.args[..at]
                .iter()
                .any(|other| other.index == rule.args[at].index)
        };
        if (1..rule.args.len()).any(about_one_argument) {
            return rule.args.chunks(1).map(clause).collect();
        }
        vec![clause(&rule.args)]
    }
}

/// A list of verdicts as it grows.
struct Verdicts<'r, 'a> {
    list: Vec<(u32, Verdict)>,
    rules: &'r Rules<'a>,
    newest: Option<u32>,
}

impl Verdicts<'_, '_> {
    fn push(&mut self, start: u32, verdict: Verdict) {
        if self.list.last().is_none_or(|(_, last)| *last != verdict) {
            self.list.push((start, verdict));
        }
    }

    /// Numbers without a rule, from `start` up to `end`.
    fn gap(&mut self, start: u32, end: u32) {
        let newer = self.newest.map_or(u32::MAX, |newest| newest + 1);
        if start < end.min(newer) {
            self.push(start, Verdict::Return(self.rules.default));
        }
        if start.max(newer) < end {
            self.push(start.max(newer), Verdict::Return(self.rules.newer));
        }
    }
}

fn resolve(rule: &Rule) -> Result<(&Rule, Return, Vec<Syscall>), Error> {
    let first = || rule.names.first().cloned().unwrap_or_default();
    if let Some(condition) = rule.args.iter().find(|condition| condition.index > 5) {
        return Err(Error::Argument {
            syscall: first(),
            index: condition.index,
        });
    }
    if rule.action == Action::Notify && rule.names.iter().any(|name| name == "write") {
        return Err(Error::NotifyWrite);
    }
    let ret = action(rule.action, rule.errno_ret, first)?;
    let syscalls = rule
        .names
        .iter()
        .filter_map(|name| Syscall::named(name))
        .collect();
    Ok((rule, ret, syscalls))
}

/// The value a filter returns for `action`, see linux/seccomp.h; `of` names what it belongs to.
fn action(action: Action, errno: Option<u32>, of: impl Fn() -> String) -> Result<Return, Error> {
    let data = |limit| match errno.unwrap_or(EPERM) {
        value if value <= limit => Ok(value),
        value => Err(Error::Errno {
            of: of(),
            value,
            limit,
        }),
    };
    Ok(match action {
        Action::KillProcess => KILL_PROCESS,
        Action::KillThread => 0,
        Action::Trap => 0x0003_0000,
        Action::Errno => 0x0005_0000 | data(MAX_ERRNO)?,
        Action::Notify => 0x7FC0_0000,
        Action::Trace => 0x7FF0_0000 | data(u16::MAX.into())?,
        Action::Log => 0x7FFC_0000,
        Action::Allow => 0x7FFF_0000,
    })
}
