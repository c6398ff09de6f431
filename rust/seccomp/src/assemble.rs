//! An assembler for classic BPF that writes programs from their end to their beginning.
//!
//! BPF only jumps forward, so whoever writes backwards always knows the targets. A conditional jump reaches 255
//! instructions; the assembler puts a stepping stone where a target is farther away.

use pyctr_sys::seccomp::Instruction;

/// The place of an instruction, counted from the end of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(usize);

/// Tests of the accumulator against a constant.
#[derive(Clone, Copy)]
pub(crate) enum Test {
    Equal = 0x15,
    Greater = 0x25,
    GreaterOrEqual = 0x35,
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
/// How far a conditional jump reaches, less the two stepping stones that may come in between.
const REACH: usize = u8::MAX as usize - 2;

/// A program under construction, its last instruction first.
#[derive(Default)]
pub(crate) struct Assembler {
    code: Vec<Instruction>,
    returns: Vec<Label>,
}

impl Assembler {
    /// The finished program. What was written last runs first.
    pub(crate) fn finish(mut self) -> Vec<Instruction> {
        self.code.reverse();
        self.code
    }

    /// End of program with a `SECCOMP_RET_*` value. One written before is used again while in reach.
    pub(crate) fn ret(&mut self, value: u32) -> Label {
        let known = self
            .returns
            .iter()
            .position(|label| self.code[label.0].k == value);
        if let Some(label) = known
            .map(|at| self.returns[at])
            .filter(|label| self.in_reach(*label))
        {
            return label;
        }
        let label = self.push(RETURN, 0, 0, value);
        match known {
            Some(at) => self.returns[at] = label,
            None => self.returns.push(label),
        }
        label
    }

    /// Loads the 32-bit word at `offset` of `struct seccomp_data` into the accumulator, then goes on at `next`.
    pub(crate) fn load(&mut self, offset: u32, next: Label) -> Label {
        self.fall_into(next);
        self.push(LOAD, 0, 0, offset)
    }

    /// Clears the bits of the accumulator that `mask` lacks, then goes on at `next`.
    pub(crate) fn and(&mut self, mask: u32, next: Label) -> Label {
        self.fall_into(next);
        self.push(AND, 0, 0, mask)
    }

    /// Goes on at `yes` or `no`.
    pub(crate) fn branch(&mut self, test: Test, k: u32, yes: Label, no: Label) -> Label {
        let (yes, no) = (self.near(yes), self.near(no));
        let (jt, jf) = (self.distance(yes), self.distance(no));
        self.push(test as u16, jt as u8, jf as u8, k)
    }

    fn push(&mut self, code: u16, jt: u8, jf: u8, k: u32) -> Label {
        self.code.push(Instruction { code, jt, jf, k });
        Label(self.code.len() - 1)
    }

    /// How many instructions the next one would have to skip to get to `label`.
    fn distance(&self, label: Label) -> usize {
        self.code.len() - label.0 - 1
    }

    fn in_reach(&self, label: Label) -> bool {
        self.distance(label) <= REACH
    }

    fn near(&mut self, label: Label) -> Label {
        if self.in_reach(label) {
            label
        } else {
            self.stepping_stone(label)
        }
    }

    fn fall_into(&mut self, label: Label) {
        if self.distance(label) != 0 {
            self.stepping_stone(label);
        }
    }

    fn stepping_stone(&mut self, label: Label) -> Label {
        let target = self.code[label.0];
        if target.code == RETURN {
            return self.push(RETURN, 0, 0, target.k);
        }
        let distance = self.distance(label) as u32;
        self.push(JUMP, 0, 0, distance)
    }
}
