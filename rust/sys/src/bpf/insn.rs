//! The few instructions that device programs use.
//!
//! <https://docs.kernel.org/bpf/standardization/instruction-set.html>

/// A register. R0 holds the result, R1 the context at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Reg {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
}

/// What an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Op {
    /// Reads 32 bits of memory.
    Load32 = 0x61,
    /// Copies a register.
    Mov32 = 0xbc,
    /// Sets a register to a constant.
    Set32 = 0xb4,
    /// Bitwise and with a constant.
    And32 = 0x54,
    /// Shifts right by a constant.
    ShiftRight32 = 0x74,
    /// Jumps forward if a register equals a constant.
    JumpEqual32 = 0x16,
    /// Jumps forward if it does not.
    JumpNotEqual32 = 0x56,
    /// Ends the program.
    Exit = 0x95,
}

const OPS: [Op; 8] = [
    Op::Load32,
    Op::Mov32,
    Op::Set32,
    Op::And32,
    Op::ShiftRight32,
    Op::JumpEqual32,
    Op::JumpNotEqual32,
    Op::Exit,
];

/// One instruction, `struct bpf_insn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Insn {
    code: u8,
    registers: u8,
    /// Offset into memory, or instructions to skip.
    pub off: i16,
    /// The constant.
    pub imm: i32,
}

impl Insn {
    const fn new(op: Op, dst: Reg, src: Reg, off: i16, imm: i32) -> Self {
        // Two bit fields of four bits, laid out as C does.
        let registers = if cfg!(target_endian = "little") {
            dst as u8 | (src as u8) << 4
        } else {
            (dst as u8) << 4 | src as u8
        };
        Self {
            code: op as u8,
            registers,
            off,
            imm,
        }
    }

    /// `dst = *(u32 *)(src + off)`
    pub const fn load32(dst: Reg, src: Reg, off: i16) -> Self {
        Self::new(Op::Load32, dst, src, off, 0)
    }

    /// `dst = src`
    pub const fn mov32(dst: Reg, src: Reg) -> Self {
        Self::new(Op::Mov32, dst, src, 0, 0)
    }

    /// `dst = imm`
    pub const fn set32(dst: Reg, imm: i32) -> Self {
        Self::new(Op::Set32, dst, Reg::R0, 0, imm)
    }

    /// `dst &= imm`
    pub const fn and32(dst: Reg, imm: i32) -> Self {
        Self::new(Op::And32, dst, Reg::R0, 0, imm)
    }

    /// `dst >>= imm`
    pub const fn shift_right32(dst: Reg, imm: i32) -> Self {
        Self::new(Op::ShiftRight32, dst, Reg::R0, 0, imm)
    }

    /// `if dst == imm, skip`
    pub const fn jump_equal32(dst: Reg, imm: i32, skip: i16) -> Self {
        Self::new(Op::JumpEqual32, dst, Reg::R0, skip, imm)
    }

    /// `if dst != imm, skip`
    pub const fn jump_not_equal32(dst: Reg, imm: i32, skip: i16) -> Self {
        Self::new(Op::JumpNotEqual32, dst, Reg::R0, skip, imm)
    }

    /// `return r0`
    pub const fn exit() -> Self {
        Self::new(Op::Exit, Reg::R0, Reg::R0, 0, 0)
    }

    /// What the instruction does; `None` for one that is not made here.
    pub fn op(self) -> Option<Op> {
        OPS.into_iter().find(|op| *op as u8 == self.code)
    }

    /// Number of the register that is written or compared.
    pub const fn dst(self) -> u8 {
        if cfg!(target_endian = "little") {
            self.registers & 15
        } else {
            self.registers >> 4
        }
    }

    /// Number of the register that is read.
    pub const fn src(self) -> u8 {
        if cfg!(target_endian = "little") {
            self.registers >> 4
        } else {
            self.registers & 15
        }
    }
}
