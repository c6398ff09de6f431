//! eBPF, as much of it as deciding about devices takes: a few instructions, and loading and attaching a program, bpf(2).

mod insn;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::Errno;

pub use insn::{Insn, Op, Reg};

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
const PROG_DETACH: libc::c_int = 9;
const PROG_GET_FD_BY_ID: libc::c_int = 13;
const PROG_QUERY: libc::c_int = 16;

const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
const ALLOW_MULTI: u32 = 1 << 1;
const REPLACE: u32 = 1 << 2;

/// The kernel attaches no more than this to one group.
const MOST_PROGRAMS: usize = 64;

/// Head of `union bpf_attr` for `BPF_PROG_LOAD`.
#[repr(C)]
struct LoadAttr {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
}

/// Head of `union bpf_attr` for `BPF_PROG_ATTACH` and `BPF_PROG_DETACH`.
#[repr(C)]
struct AttachAttr {
    target_fd: u32,
    attach_bpf_fd: u32,
    attach_type: u32,
    attach_flags: u32,
    replace_bpf_fd: u32,
}

/// `union bpf_attr` for `BPF_PROG_QUERY`, with the fields that the newest kernels write whatever size they are told.
#[repr(C)]
struct QueryAttr {
    target_fd: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    prog_ids: u64,
    prog_cnt: u32,
    padding: u32,
    prog_attach_flags: u64,
    link_ids: u64,
    link_attach_flags: u64,
    revision: u64,
}

/// Head of `union bpf_attr` for `BPF_PROG_GET_FD_BY_ID`.
#[repr(C)]
struct IdAttr {
    prog_id: u32,
    next_id: u32,
    open_flags: u32,
}

/// Makes `program` the one that decides about the devices of a version 2 control group, in the place of any before it.
///
/// The program stays with the group and goes with it. There is no moment without one if there was one.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN` (or `CAP_BPF` and `CAP_NET_ADMIN`) in the first user namespace; `EINVAL` where the
/// kernel's verifier finds fault with the program.
pub fn set_cgroup_device_program(cgroup: impl AsFd, program: &[Insn]) -> Result<(), Errno> {
    let cgroup = cgroup.as_fd();
    let old = attached(cgroup)?;
    let new = load(program)?;
    if let [old] = old.as_slice() {
        return attach(cgroup, new.as_fd(), Some(old.as_fd()));
    }
    attach(cgroup, new.as_fd(), None)?;
    old.iter().try_for_each(|old| detach(cgroup, old.as_fd()))
}

/// Programs that decide about the devices of a group, without those of the groups above it.
///
/// # Errors
/// As for [`set_cgroup_device_program`].
pub fn cgroup_device_programs(cgroup: impl AsFd) -> Result<usize, Errno> {
    attached(cgroup.as_fd()).map(|programs| programs.len())
}

fn load(program: &[Insn]) -> Result<OwnedFd, Errno> {
    // The kernel asks for the license because some helpers are for GPL programs only; none is called here.
    let license = c"Apache-2.0";
    let mut attr = LoadAttr {
        prog_type: TYPE_CGROUP_DEVICE,
        insn_cnt: u32::try_from(program.len()).map_err(|_| Errno::TOOBIG)?,
        insns: program.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log_buf: 0,
        kern_version: 0,
        prog_flags: 0,
    };
    for _ in 0..30 {
        // SAFETY: `insns` and `license` point to that many instructions and a terminated string, both alive here.
        match unsafe { bpf_fd(PROG_LOAD, &mut attr) } {
            // A signal interrupted the verifier.
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

fn attach(
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    old: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let replace = old.map_or(0, |_| REPLACE);
    attach_call(PROG_ATTACH, cgroup, program, ALLOW_MULTI | replace, old)
}

fn detach(cgroup: BorrowedFd<'_>, program: BorrowedFd<'_>) -> Result<(), Errno> {
    match attach_call(PROG_DETACH, cgroup, program, 0, None) {
        // Somebody else was faster.
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

fn attach_call(
    command: libc::c_int,
    cgroup: BorrowedFd<'_>,
    program: BorrowedFd<'_>,
    attach_flags: u32,
    old: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let number = |fd: BorrowedFd<'_>| fd.as_raw_fd() as u32;
    let mut attr = AttachAttr {
        target_fd: number(cgroup),
        attach_bpf_fd: number(program),
        attach_type: ATTACH_CGROUP_DEVICE,
        attach_flags,
        replace_bpf_fd: old.map_or(0, number),
    };
    // SAFETY: the structure holds numbers only; the descriptors are borrowed for the length of the call.
    unsafe { bpf(command, &mut attr) }.map(drop)
}

fn attached(cgroup: BorrowedFd<'_>) -> Result<Vec<OwnedFd>, Errno> {
    let mut ids = [0_u32; MOST_PROGRAMS];
    let mut attr = QueryAttr {
        target_fd: cgroup.as_raw_fd() as u32,
        attach_type: ATTACH_CGROUP_DEVICE,
        query_flags: 0,
        attach_flags: 0,
        prog_ids: ids.as_mut_ptr() as u64,
        prog_cnt: MOST_PROGRAMS as u32,
        padding: 0,
        prog_attach_flags: 0,
        link_ids: 0,
        link_attach_flags: 0,
        revision: 0,
    };
    // SAFETY: `prog_ids` points to `prog_cnt` numbers that live until after the call.
    unsafe { bpf(PROG_QUERY, &mut attr) }?;
    let count = (attr.prog_cnt as usize).min(MOST_PROGRAMS);
    ids[..count].iter().filter_map(|id| by_id(*id)).collect()
}

/// A program that has gone meanwhile, or that a security module keeps from us, is none of ours.
fn by_id(prog_id: u32) -> Option<Result<OwnedFd, Errno>> {
    let mut attr = IdAttr {
        prog_id,
        next_id: 0,
        open_flags: 0,
    };
    // SAFETY: the structure holds numbers only.
    match unsafe { bpf_fd(PROG_GET_FD_BY_ID, &mut attr) } {
        Err(Errno::NOENT | Errno::PERM | Errno::ACCESS) => None,
        other => Some(other),
    }
}

/// A command of bpf(2) that answers with a new descriptor. The kernel makes it close-on-exec.
///
/// # Safety
/// As for [`bpf`].
unsafe fn bpf_fd<T>(command: libc::c_int, attr: &mut T) -> Result<OwnedFd, Errno> {
    // SAFETY: promised by the caller.
    let fd: RawFd = unsafe { bpf(command, attr) }?;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// # Safety
/// `T` is the head of `union bpf_attr` that belongs to `command`, and the pointers in it are good for what it does.
unsafe fn bpf<T>(command: libc::c_int, attr: &mut T) -> Result<libc::c_int, Errno> {
    // SAFETY: `attr` is valid for reads and writes of its size, which is told; the rest is the caller's promise.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command,
            std::ptr::from_mut(attr),
            size_of::<T>(),
        )
    };
    if result < 0 {
        Err(crate::last_errno())
    } else {
        Ok(result as libc::c_int)
    }
}
