//! Device rules as a program for the kernel (`BPF_PROG_TYPE_CGROUP_DEVICE`, version 2).
//!
//! The kernel calls it with what is asked for: kind of device, numbers, and the accesses wanted, and takes 1 for yes.
//! "The last match wins" is read for each access: the rules are gone through from the last to the first, each decides
//! about the accesses it names, and what is left goes on to the rule before. In the end nothing is allowed.

use pyctr_sys::bpf::{Insn, Reg};

use super::policy::{Access, Devices, devices};
use crate::{DeviceRule, Result};

const CONTEXT: Reg = Reg::R1;
const SCRATCH: Reg = Reg::R1;
const KIND: Reg = Reg::R2;
/// Accesses that no rule has decided about yet.
const WANTED: Reg = Reg::R3;
const MAJOR: Reg = Reg::R4;
const MINOR: Reg = Reg::R5;

const KIND_BLOCK: i32 = 1;
const KIND_CHAR: i32 = 2;

pub(super) fn program(rules: &[DeviceRule]) -> Result<Vec<Insn>> {
    let mut program = prologue();
    for rule in rules.iter().rev() {
        let access = Access::parse(rule.access.as_deref())?;
        let devices = devices(rule)?;
        let both = devices.len() == 2;
        // A rule about both kinds is one block that does not look at the kind.
        let Some(first) = devices.first() else {
            continue;
        };
        block(&mut program, rule.allow, *first, both, access);
        if both && first.major.is_none() && first.minor.is_none() && access == Access::ALL {
            // It decides about everything, and the kernel does not take instructions that are never reached.
            return Ok(program);
        }
    }
    program.extend(answer(false));
    Ok(program)
}

/// Takes `struct bpf_cgroup_dev_ctx` apart: kind in the lower half of its first word, accesses in the upper one.
fn prologue() -> Vec<Insn> {
    vec![
        Insn::load32(KIND, CONTEXT, 0),
        Insn::mov32(WANTED, KIND),
        Insn::shift_right32(WANTED, 16),
        Insn::and32(KIND, 0xffff),
        Insn::load32(MAJOR, CONTEXT, 4),
        Insn::load32(MINOR, CONTEXT, 8),
    ]
}

/// One rule. Jumps behind itself if the rule says nothing about the request.
fn block(program: &mut Vec<Insn>, allow: bool, devices: Devices, both: bool, access: Access) {
    let kind = (!both).then_some(if devices.block { KIND_BLOCK } else { KIND_CHAR });
    let number = |number: Option<u32>| number.map(|number| number as i32);
    let conditions = [
        (KIND, kind),
        (MAJOR, number(devices.major)),
        (MINOR, number(devices.minor)),
    ];
    let conditions: Vec<_> = conditions
        .into_iter()
        .filter_map(|(register, value)| Some((register, value?)))
        .collect();
    let verdict = verdict(allow, access);
    for (done, (register, value)) in conditions.iter().enumerate() {
        program.push(Insn::jump_not_equal32(
            *register,
            *value,
            skip(conditions.len() - done - 1 + verdict.len()),
        ));
    }
    program.extend(verdict);
}

/// What follows when the device is the rule's.
fn verdict(allow: bool, access: Access) -> Vec<Insn> {
    let bits = i32::from(access.0);
    let answer = answer(allow);
    match (allow, access) {
        (_, Access::ALL) => answer.to_vec(),
        // One forbidden access is enough to refuse.
        (false, _) => {
            let look = [
                Insn::mov32(SCRATCH, WANTED),
                Insn::and32(SCRATCH, bits),
                Insn::jump_equal32(SCRATCH, 0, skip(answer.len())),
            ];
            look.into_iter().chain(answer).collect()
        }
        // The rest is for the rules before this one.
        (true, _) => {
            let look = [
                Insn::and32(WANTED, !bits),
                Insn::jump_not_equal32(WANTED, 0, skip(answer.len())),
            ];
            look.into_iter().chain(answer).collect()
        }
    }
}

/// One rule is a dozen instructions at most.
fn skip(instructions: usize) -> i16 {
    instructions as i16
}

fn answer(allow: bool) -> [Insn; 2] {
    [Insn::set32(Reg::R0, i32::from(allow)), Insn::exit()]
}

#[cfg(test)]
mod tests;
