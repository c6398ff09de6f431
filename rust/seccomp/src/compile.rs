//! From verdicts to a BPF program.
//!
//! A program first finds out the architecture, then searches the number in a balanced tree of ranges, and only then
//! looks at arguments. So a call costs about eight comparisons, and the kernel, which runs a filter for every number
//! while loading it (`seccomp_cache_prepare`), is done quickly.

use std::os::fd::OwnedFd;

use pyctr_sys::seccomp::{self, Instruction};
use rustix::io::Errno;

use crate::abi::{Abi, Machine, X32_BIT, X32_END};
use crate::assemble::{Assembler, Label, Test};
use crate::error::Error;
use crate::profile::{Action, Arch, Condition, Flag, Op, Profile};
use crate::rules::{Clause, KILL_PROCESS, Return, Rules, Verdict};

/// The longest program the kernel takes (`BPF_MAXINSNS`).
const LONGEST: usize = 4096;
/// Offsets in `struct seccomp_data`; arguments are 64-bit, lower half first.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGS: u32 = 16;

/// A compiled profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    program: Vec<Instruction>,
    flags: u32,
}

impl Filter {
    /// The instructions.
    pub fn program(&self) -> &[Instruction] {
        &self.program
    }

    /// The flags for seccomp(2).
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// Whether a rule says `SCMP_ACT_NOTIFY`, so that [`Filter::load`] returns a listener.
    pub fn notifies(&self) -> bool {
        self.flags & seccomp::NEW_LISTENER != 0
    }

    /// Installs the filter for the calling thread, see [`seccomp::load`]; allocates nothing.
    ///
    /// # Errors
    /// Those of seccomp(2).
    pub fn load(&self) -> Result<Option<OwnedFd>, Errno> {
        seccomp::load(&self.program, self.flags)
    }
}

/// Compiles a profile for the machine this runs on.
///
/// # Errors
/// What is wrong with the profile, or that it is too long.
pub fn compile(profile: &Profile) -> Result<Filter, Error> {
    compile_for(profile, Machine::HOST)
}

/// Compiles a profile for `machine`. Architectures that it cannot run are left out.
///
/// # Errors
/// As for [`compile`].
pub fn compile_for(profile: &Profile, machine: Machine) -> Result<Filter, Error> {
    let rules = Rules::new(profile)?;
    let mut compiler = Compiler {
        code: Assembler::default(),
        default: rules.default,
        known: Vec::new(),
    };
    let mut entry = compiler.code.ret(KILL_PROCESS);
    let [native, compat] = machine.architectures();
    for abi in [compat, native] {
        if abi == native || profile.architectures.contains(&abi.arch()) {
            let tree = compiler.numbers(&verdicts(&rules, abi, &profile.architectures));
            entry = compiler
                .code
                .branch(Test::Equal, abi.audit_arch(), tree, entry);
        }
    }
    compiler.code.load(ARCH, entry);
    let program = compiler.code.finish();
    if program.len() > LONGEST {
        return Err(Error::TooLong(program.len()));
    }
    Ok(Filter {
        program,
        flags: flags(profile),
    })
}

/// What happens to each number of an architecture; on x86-64 those of x32 lie among them.
fn verdicts(rules: &Rules, abi: Abi, listed: &[Arch]) -> Vec<(u32, Verdict)> {
    let mut verdicts = rules.verdicts(abi, 0);
    if abi == Abi::X86_64 {
        if listed.contains(&Arch::X32) {
            verdicts.extend(rules.verdicts(Abi::X32, X32_BIT));
        } else {
            verdicts.push((X32_BIT, Verdict::Return(KILL_PROCESS)));
        }
        verdicts.push((X32_END, Verdict::Return(rules.newer)));
    }
    verdicts
}

fn flags(profile: &Profile) -> u32 {
    let given = profile.flags.iter().fold(0, |flags, flag| {
        flags
            | match flag {
                // Whoever loads a filter here has but one thread.
                Flag::Tsync => 0,
                Flag::Log => seccomp::LOG,
                Flag::SpecAllow => seccomp::SPEC_ALLOW,
                Flag::WaitKillableRecv => seccomp::WAIT_KILLABLE_RECV,
            }
    });
    if profile
        .syscalls
        .iter()
        .any(|rule| rule.action == Action::Notify)
    {
        return given | seccomp::NEW_LISTENER;
    }
    // The kernel refuses this flag without a listener, where it would mean nothing.
    given & !seccomp::WAIT_KILLABLE_RECV
}

struct Compiler {
    code: Assembler,
    default: Return,
    known: Vec<(Vec<Clause>, Label)>,
}

impl Compiler {
    /// Finds the verdict for the number of the call.
    fn numbers(&mut self, verdicts: &[(u32, Verdict)]) -> Label {
        let root = self.tree(verdicts);
        self.code.load(NUMBER, root)
    }

    fn tree(&mut self, verdicts: &[(u32, Verdict)]) -> Label {
        if let [(_, verdict)] = verdicts {
            return self.leaf(verdict);
        }
        let (below, above) = verdicts.split_at(verdicts.len() / 2);
        let yes = self.tree(above);
        let no = self.tree(below);
        self.code.branch(Test::GreaterOrEqual, above[0].0, yes, no)
    }

    fn leaf(&mut self, verdict: &Verdict) -> Label {
        match verdict {
            Verdict::Return(value) => self.code.ret(*value),
            Verdict::Clauses(clauses) => self.clauses(clauses),
        }
    }

    /// Tries clauses in turn; lists of clauses that several calls share are written once.
    fn clauses(&mut self, clauses: &[Clause]) -> Label {
        if let Some((_, label)) = self.known.iter().find(|(known, _)| known == clauses) {
            return *label;
        }
        let mut next = self.code.ret(self.default);
        for clause in clauses.iter().rev() {
            let mut yes = self.code.ret(clause.ret);
            for condition in clause.conditions.iter().rev() {
                yes = self.condition(condition, yes, next);
            }
            next = yes;
        }
        self.known.push((clauses.to_vec(), next));
        next
    }

    /// Compares an argument: its upper half, and where that does not decide its lower half.
    fn condition(&mut self, condition: &Condition, yes: Label, no: Label) -> Label {
        let offset = ARGS + 8 * condition.index;
        let (value, mask) = match condition.op {
            Op::MaskedEq => (condition.value_two, condition.value),
            _ => (condition.value, u64::MAX),
        };
        let (yes, no, test) = match condition.op {
            Op::Eq | Op::MaskedEq => (yes, no, Test::Equal),
            Op::Ne => (no, yes, Test::Equal),
            Op::Gt => (yes, no, Test::Greater),
            Op::Le => (no, yes, Test::Greater),
            Op::Ge => (yes, no, Test::GreaterOrEqual),
            Op::Lt => (no, yes, Test::GreaterOrEqual),
        };
        let [low, high] = [value as u32, (value >> 32) as u32];
        let [low_mask, high_mask] = [mask as u32, (mask >> 32) as u32];
        let lower = self.code.branch(test, low, yes, no);
        let lower = self.masked_load(offset, low_mask, lower);
        if high == 0 && high_mask == 0 {
            return lower;
        }
        let mut upper = self.code.branch(Test::Equal, high, lower, no);
        if !matches!(test, Test::Equal) {
            upper = self.code.branch(Test::Greater, high, yes, upper);
        }
        self.masked_load(offset + 4, high_mask, upper)
    }

    fn masked_load(&mut self, offset: u32, mask: u32, next: Label) -> Label {
        let next = if mask == u32::MAX {
            next
        } else {
            self.code.and(mask, next)
        };
        self.code.load(offset, next)
    }
}
