//! What a profile means at the edges that random ones seldom meet.

use serde_json::{Value, json};

use crate::abi::{Abi, Syscall, X32_BIT};
use crate::table::SYSCALLS;
use crate::{Error, Machine, Profile, compile, compile_for};

#[path = "../tests/support/mod.rs"]
mod support;

fn profile(document: &Value) -> Profile {
    serde_json::from_value(document.clone()).expect("a profile")
}

fn rules(syscalls: &Value) -> Profile {
    profile(&json!({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": syscalls}))
}

#[test]
fn the_table_is_sorted_so_that_names_are_found() {
    assert!(SYSCALLS.windows(2).all(|pair| pair[0].0 < pair[1].0));
}

/// The table against the numbers that the C library was built with, for a handful of calls of every age.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_table_agrees_with_the_c_library() {
    let header = [
        "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
        "/usr/include/asm/unistd_64.h",
    ];
    let Some(text) = header
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
    else {
        eprintln!("skipped: no kernel headers on this machine");
        return;
    };
    let defined = text
        .lines()
        .filter_map(|line| line.strip_prefix("#define __NR_")?.split_once(' '));
    for (name, number) in defined {
        let ours = Syscall::named(name).and_then(|syscall| syscall.number(Abi::X86_64));
        assert_eq!(ours, number.parse().ok(), "{name}");
    }
}

#[test]
fn bad_profiles_are_refused_with_the_reason() {
    let all = profile(&json!({"defaultAction": "SCMP_ACT_NOTIFY"}));
    assert_eq!(compile(&all), Err(Error::NotifyByDefault));
    let write = rules(&json!([{"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"}]));
    assert_eq!(compile(&write), Err(Error::NotifyWrite));
    let condition = json!([{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]);
    let argument =
        rules(&json!([{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": condition}]));
    assert_eq!(
        compile(&argument),
        Err(Error::Argument {
            syscall: "read".into(),
            index: 6
        })
    );
    let errno = rules(&json!([{"names": ["read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096}]));
    let of = "read".to_owned();
    assert_eq!(
        compile(&errno),
        Err(Error::Errno {
            of,
            value: 4096,
            limit: 4095
        })
    );
}

#[test]
fn a_filter_too_long_for_the_kernel_is_refused() {
    let rule = |n: u64| {
        let condition = json!([{"index": 0, "value": n << 16, "op": "SCMP_CMP_EQ"}]);
        json!({"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": condition})
    };
    let long = rules(&(0..2000).map(rule).collect());
    assert!(matches!(compile(&long), Err(Error::TooLong(length)) if length > 4096));
}

#[test]
fn a_profile_survives_serialization() {
    let document = json!({
        "defaultAction": "SCMP_ACT_KILL_THREAD", "defaultErrnoRet": 3, "architectures": ["SCMP_ARCH_MIPS64N32"],
        "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "listenerPath": "/run/s", "listenerMetadata": "m",
        "syscalls": [{"names": ["read"], "action": "SCMP_ACT_TRACE", "errnoRet": 9, "args": [
            {"index": 1, "value": u64::MAX, "valueTwo": 5, "op": "SCMP_CMP_MASKED_EQ"}]}],
    });
    assert_eq!(
        serde_json::to_value(profile(&document)).expect("a document"),
        document
    );
}

/// i386 reaches bind(2) through socketcall(2) too; ARM's private calls do not count as new.
#[test]
fn the_peculiarities_of_32_bit_machines_are_known() {
    let bind = Syscall::named("bind").expect("bind");
    assert_eq!(
        bind.multiplexed(Abi::X86)
            .map(|way| way.number_mask_value()),
        Some((102, u32::MAX, 2))
    );
    assert!(bind.multiplexed(Abi::X86_64).is_none());
    let arm = profile(
        &json!({"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_ARM"],
        "syscalls": [{"names": ["read", "set_tls"], "action": "SCMP_ACT_ALLOW"}]}),
    );
    let filter = compile_for(&arm, Machine::Aarch64).expect("a filter");
    let enosys = filter
        .program()
        .iter()
        .any(|instruction| instruction.code == 6 && instruction.k == 0x0005_0026);
    assert!(
        enosys,
        "calls between read and set_tls are newer than the profile"
    );
}

/// Half of all calls allowed: a large tree, in which every number of every convention must find its place.
#[test]
fn every_number_of_a_large_profile_has_its_verdict() {
    let allowed: Vec<&str> = SYSCALLS.iter().step_by(2).map(|row| row.0).collect();
    let profile = profile(&json!({
        "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"],
        "syscalls": [{"names": allowed, "action": "SCMP_ACT_ALLOW"}],
    }));
    let x86 = compile_for(&profile, Machine::X86_64).expect("a filter");
    let arm = compile_for(&profile, Machine::Aarch64).expect("a filter");
    for (abi, filter) in [
        (Abi::X86_64, &x86),
        (Abi::X86, &x86),
        (Abi::X32, &x86),
        (Abi::Aarch64, &arm),
        (Abi::Arm, &arm),
    ] {
        let base = if abi == Abi::X32 { X32_BIT } else { 0 };
        for number in base..base + 600 {
            let call = support::Call {
                number,
                arch: abi.audit_arch(),
                args: [0; 6],
            };
            let (answer, steps) = support::run(filter.program(), &call);
            let same = |row: &&(&str, [u32; 5], _)| row.1[abi as usize] == number;
            let newest = allowed
                .iter()
                .filter_map(|name| Syscall::named(name)?.number(abi));
            let newest = newest
                .filter(|number| *number < 0xF_0000 || abi == Abi::X32)
                .max();
            let expected = match SYSCALLS.iter().step_by(2).find(same) {
                Some(_) => 0x7FFF_0000,
                // socketcall and ipc answer for what they carry, and nothing with a first argument of 0.
                None if Some(number) > newest => 0x0005_0026,
                None => 0x0005_0001,
            };
            assert_eq!(answer, expected, "{abi:?} {number:#x}");
            assert!(steps <= 16, "{abi:?} {number:#x} took {steps} instructions");
        }
    }
}
