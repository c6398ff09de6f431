//! Programs are run by an interpreter of the few instructions they use, and compared with the plain reading of the rules.

use proptest::prelude::*;
use pyctr_sys::bpf::Op;

use super::*;
use crate::DeviceKind;

/// What the kernel hands over.
#[derive(Clone, Copy, Debug)]
struct Request {
    block: bool,
    access: u8,
    major: u32,
    minor: u32,
}

/// Runs a program as the kernel would. Panics on anything its verifier would refuse.
fn run(program: &[Insn], request: Request) -> bool {
    let kind = if request.block { KIND_BLOCK } else { KIND_CHAR };
    let context = [
        kind as u32 | u32::from(request.access) << 16,
        request.major,
        request.minor,
    ];
    let mut registers: [Option<u64>; 11] = [None; 11];
    let mut at = 0;
    loop {
        let insn = program[at];
        at += 1;
        let (dst, src) = (usize::from(insn.dst()), usize::from(insn.src()));
        let value = |register: usize, registers: &[Option<u64>; 11]| {
            u32::try_from(registers[register].expect("a register is written before it is read"))
                .expect("32 bits")
        };
        let imm = insn.imm as u32;
        match insn.op().expect("a known instruction") {
            Op::Load32 => {
                assert_eq!(src, 1, "only the context is memory");
                assert!(registers[1].is_none(), "the context was overwritten");
                registers[dst] = Some(
                    context[usize::try_from(insn.off / 4).expect("inside of the context")].into(),
                );
            }
            Op::Mov32 => registers[dst] = Some(value(src, &registers).into()),
            Op::Set32 => registers[dst] = Some(imm.into()),
            Op::And32 => registers[dst] = Some((value(dst, &registers) & imm).into()),
            Op::ShiftRight32 => registers[dst] = Some((value(dst, &registers) >> imm).into()),
            Op::JumpEqual32 | Op::JumpNotEqual32 => {
                assert!(insn.off >= 0, "no loops");
                let equal = value(dst, &registers) == imm;
                if equal == (insn.op() == Some(Op::JumpEqual32)) {
                    at += usize::try_from(insn.off).expect("forward");
                }
            }
            Op::Exit => return value(0, &registers) == 1,
        }
    }
}

/// Which instructions can be reached; the kernel refuses a program with others.
fn reached(program: &[Insn]) -> Vec<bool> {
    let mut reached = vec![false; program.len()];
    reached[0] = true;
    // Jumps go forward only, so one pass sees every way.
    for (at, insn) in program
        .iter()
        .enumerate()
        .filter(|(_, insn)| insn.op() != Some(Op::Exit))
    {
        if !reached[at] {
            continue;
        }
        reached[at + 1] = true;
        if matches!(insn.op(), Some(Op::JumpEqual32 | Op::JumpNotEqual32)) {
            reached[at + 1 + usize::try_from(insn.off).expect("forward")] = true;
        }
    }
    reached
}

/// The meaning of the rules, written down without thinking of speed.
fn meaning(rules: &[DeviceRule], request: Request) -> bool {
    [Access::READ, Access::WRITE, Access::MKNOD]
        .into_iter()
        .filter(|bit| request.access & bit.0 != 0)
        .all(|bit| {
            let speaks = |rule: &&DeviceRule| {
                let kind = match rule.kind {
                    Some(DeviceKind::Char) => !request.block,
                    Some(DeviceKind::Block) => request.block,
                    _ => true,
                };
                let number = |wanted: Option<i64>, have: u32| {
                    wanted.is_none_or(|n| n < 0 || n == i64::from(have))
                };
                let access = Access::parse(rule.access.as_deref()).expect("valid");
                kind && number(rule.major, request.major)
                    && number(rule.minor, request.minor)
                    && access.0 & bit.0 != 0
            };
            rules
                .iter()
                .rev()
                .find(speaks)
                .is_some_and(|rule| rule.allow)
        })
}

fn rules() -> impl Strategy<Value = Vec<DeviceRule>> {
    let kind = prop_oneof![
        Just(None),
        Just(Some(DeviceKind::All)),
        Just(Some(DeviceKind::Char)),
        Just(Some(DeviceKind::Block))
    ];
    let number = || proptest::option::of(prop_oneof![-1_i64..4, Just(i64::from(u32::MAX))]);
    let access = proptest::option::of("[rwm]{0,3}");
    let rule = (any::<bool>(), kind, number(), number(), access).prop_map(
        |(allow, kind, major, minor, access)| DeviceRule {
            allow,
            kind,
            major,
            minor,
            access,
        },
    );
    proptest::collection::vec(rule, 0..12)
}

fn request() -> impl Strategy<Value = Request> {
    let number = || prop_oneof![0_u32..4, Just(u32::MAX)];
    (any::<bool>(), 1_u8..8, number(), number()).prop_map(|(block, access, major, minor)| Request {
        block,
        access,
        major,
        minor,
    })
}

proptest! {
    #[test]
    fn the_program_does_what_the_rules_mean(rules in rules(), requests in proptest::collection::vec(request(), 1..50)) {
        let program = program(&rules).expect("valid rules");
        prop_assert!(reached(&program).into_iter().all(|reached| reached));
        for request in requests {
            prop_assert_eq!(run(&program, request), meaning(&rules, request), "{:?}", request);
        }
    }
}

#[test]
fn the_default_devices() {
    let program = program(&crate::default_devices()).expect("valid rules");
    let ask = |block, major, minor, access| {
        run(
            &program,
            Request {
                block,
                access,
                major,
                minor,
            },
        )
    };
    assert!(ask(false, 1, 3, 7) && ask(false, 136, 77, 6));
    assert!(ask(true, 8, 0, 1), "a node may be made");
    assert!(
        !ask(true, 8, 0, 2) && !ask(false, 10, 229, 6),
        "but not opened"
    );
}

#[test]
fn accesses_may_come_from_different_rules() {
    let rule = |minor, access: &str| DeviceRule {
        allow: true,
        kind: Some(DeviceKind::Char),
        major: Some(1),
        minor,
        access: Some(access.into()),
    };
    let program = program(&[rule(None, "r"), rule(Some(3), "w")]).expect("valid rules");
    assert!(run(
        &program,
        Request {
            block: false,
            access: 6,
            major: 1,
            minor: 3
        }
    ));
    assert!(!run(
        &program,
        Request {
            block: false,
            access: 6,
            major: 1,
            minor: 4
        }
    ));
}
