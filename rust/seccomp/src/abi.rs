//! Machines, the calling conventions each of them has, and the numbers of system calls there.

use crate::profile::Arch;
use crate::table::{NONE, SYSCALLS};

/// A kind of processor that a filter is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// 64-bit x86, with the conventions x86-64, i386 and x32.
    X86_64,
    /// 64-bit ARM, with the conventions AArch64 and 32-bit ARM (EABI).
    Aarch64,
}

/// A calling convention: a column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Abi {
    X86_64,
    X86,
    X32,
    Aarch64,
    Arm,
}

/// Set in the numbers of x32, which has the architecture of x86-64.
pub(crate) const X32_BIT: u32 = 0x4000_0000;
/// Where the numbers that x32 may have end.
pub(crate) const X32_END: u32 = 0x8000_0000;
/// From here on numbers are ARM's private calls, which say nothing about how new a kernel is.
pub(crate) const ARM_PRIVATE: u32 = 0x000F_0000;

impl Machine {
    /// The machine this code was built for.
    #[cfg(target_arch = "x86_64")]
    pub const HOST: Self = Self::X86_64;
    /// The machine this code was built for.
    #[cfg(target_arch = "aarch64")]
    pub const HOST: Self = Self::Aarch64;

    /// The conventions that have an architecture number of their own, the machine's first.
    pub(crate) fn architectures(self) -> [Abi; 2] {
        match self {
            Self::X86_64 => [Abi::X86_64, Abi::X86],
            Self::Aarch64 => [Abi::Aarch64, Abi::Arm],
        }
    }
}

impl Abi {
    /// OCI's name.
    pub(crate) fn arch(self) -> Arch {
        match self {
            Self::X86_64 => Arch::X86_64,
            Self::X86 => Arch::X86,
            Self::X32 => Arch::X32,
            Self::Aarch64 => Arch::Aarch64,
            Self::Arm => Arch::Arm,
        }
    }

    /// `seccomp_data.arch`, see linux/audit.h.
    pub(crate) fn audit_arch(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xC000_003E,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xC000_00B7,
            Self::Arm => 0x4000_0028,
        }
    }
}

/// How a call can be reached on i386 through another that takes its number as the first argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Multiplexed {
    /// socketcall(2) with this first argument.
    SocketCall(u32),
    /// ipc(2) with this first argument; its upper half is a version.
    Ipc(u32),
}

impl Multiplexed {
    /// The number of socketcall or ipc, and the mask and value by which its first argument selects the call.
    pub(crate) fn number_mask_value(self) -> (u32, u32, u32) {
        match self {
            Self::SocketCall(value) => (102, u32::MAX, value),
            Self::Ipc(value) => (117, 0xFFFF, value),
        }
    }
}

/// A system call: a row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Syscall(&'static [u32; 5], Option<Multiplexed>);

impl Syscall {
    /// Looks a call up by name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let row = SYSCALLS.binary_search_by(|row| row.0.cmp(name)).ok()?;
        let (_, numbers, multiplexed) = &SYSCALLS[row];
        Some(Self(numbers, *multiplexed))
    }

    /// The number in one convention.
    pub(crate) fn number(self, abi: Abi) -> Option<u32> {
        let number = self.0[abi as usize];
        (number != NONE).then_some(number)
    }

    /// The other way to the call.
    pub(crate) fn multiplexed(self, abi: Abi) -> Option<Multiplexed> {
        self.1.filter(|_| abi == Abi::X86)
    }
}
