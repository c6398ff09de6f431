//! Compiled filters, run by an interpreter, against a direct reading of the rules.

mod support;

use proptest::prelude::*;
use pyctr_seccomp::{Action, Arch, Condition, Machine, Op, Profile, Rule, compile_for};
use support::{Call, run};

const X86_64: u32 = 0xC000_003E;
const I386: u32 = 0x4000_0003;
const X32: u32 = 0x4000_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
const ALLOW: u32 = 0x7FFF_0000;
const ENOSYS: u32 = 0x0005_0026;

/// Names with their numbers on x86-64, i386 and x32, written down here by hand on purpose.
const CALLS: [(&str, u32, Option<u32>, u32); 12] = [
    ("read", 0, Some(3), X32),
    ("write", 1, Some(4), X32 + 1),
    ("ioctl", 16, Some(54), X32 + 514),
    ("getpid", 39, Some(20), X32 + 39),
    ("clone", 56, Some(120), X32 + 56),
    ("execve", 59, Some(11), X32 + 520),
    ("personality", 135, Some(136), X32 + 135),
    ("newfstatat", 262, None, X32 + 262),
    ("pidfd_open", 434, Some(434), X32 + 434),
    ("clone3", 435, Some(435), X32 + 435),
    ("openat2", 437, Some(437), X32 + 437),
    ("listns", 470, Some(470), X32 + 470),
];

fn holds(condition: &Condition, args: &[u64; 6]) -> bool {
    let (arg, value) = (args[condition.index as usize], condition.value);
    match condition.op {
        Op::Eq => arg == value,
        Op::Ne => arg != value,
        Op::Lt => arg < value,
        Op::Le => arg <= value,
        Op::Gt => arg > value,
        Op::Ge => arg >= value,
        Op::MaskedEq => arg & value == condition.value_two,
    }
}

fn value(action: Action, errno: Option<u32>) -> u32 {
    let errno = errno.unwrap_or(1);
    match action {
        Action::KillProcess => KILL_PROCESS,
        Action::KillThread => 0,
        Action::Trap => 0x0003_0000,
        Action::Errno => 0x0005_0000 + errno,
        Action::Notify => 0x7FC0_0000,
        Action::Trace => 0x7FF0_0000 + errno,
        Action::Log => 0x7FFC_0000,
        Action::Allow => ALLOW,
    }
}

fn matches(rule: &Rule, args: &[u64; 6]) -> bool {
    let repeated = rule.args.iter().any(|one| {
        rule.args
            .iter()
            .filter(|two| one.index == two.index)
            .count()
            > 1
    });
    if repeated {
        rule.args.iter().any(|condition| holds(condition, args))
    } else {
        rule.args.iter().all(|condition| holds(condition, args))
    }
}

/// What `profile` says about a call of x86-64, by name.
fn expected(profile: &Profile, call: &Call) -> u32 {
    let column = |row: &(&str, u32, Option<u32>, u32)| match call.arch {
        I386 => row.2,
        _ if call.number & X32 != 0 => Some(row.3),
        _ => Some(row.1),
    };
    let name = CALLS
        .iter()
        .find(|row| column(row) == Some(call.number))
        .map(|row| row.0);
    let default = value(profile.default_action, profile.default_errno_ret);
    let listed = |arch| profile.architectures.contains(&arch);
    if (call.arch == I386 && !listed(Arch::X86))
        || (call.arch != I386 && call.number & X32 != 0 && !listed(Arch::X32))
    {
        return KILL_PROCESS;
    }
    let named = CALLS.iter().filter(|row| {
        profile
            .syscalls
            .iter()
            .any(|rule| rule.names.iter().any(|n| n == row.0))
    });
    let newest = named.filter_map(column).max();
    let permissive = matches!(
        profile.default_action,
        Action::Allow | Action::Log | Action::Trace
    );
    if newest.is_some_and(|newest| call.number > newest) && !permissive {
        return ENOSYS;
    }
    let about: Vec<&Rule> = profile
        .syscalls
        .iter()
        .filter(|rule| rule.names.iter().any(|other| Some(other.as_str()) == name))
        .filter(|rule| value(rule.action, rule.errno_ret) != default)
        .collect();
    let rule = about.iter().find(|rule| rule.args.is_empty());
    let rule = rule.or_else(|| about.iter().find(|rule| matches(rule, &call.args)));
    rule.map_or(default, |rule| value(rule.action, rule.errno_ret))
}

fn actions() -> impl Strategy<Value = Action> {
    use Action::{Allow, Errno, KillProcess, KillThread, Log, Trace, Trap};
    prop::sample::select(vec![
        Allow,
        Errno,
        KillProcess,
        KillThread,
        Log,
        Trace,
        Trap,
    ])
}

/// Numbers around which comparisons of halves go wrong.
fn numbers() -> impl Strategy<Value = u64> {
    let edge = prop::sample::select(vec![0, 1, 2, u32::MAX as u64 - 1, u32::MAX as u64]);
    prop_oneof![
        (edge.clone(), edge).prop_map(|(high, low)| high << 32 | low),
        prop::sample::select(vec![8, 0x7E02_0000, 0x20008]),
        any::<u64>(),
    ]
}

fn conditions() -> impl Strategy<Value = Condition> {
    use Op::{Eq, Ge, Gt, Le, Lt, MaskedEq, Ne};
    let ops = prop::sample::select(vec![Ne, Lt, Le, Eq, Ge, Gt, MaskedEq]);
    (0..6u32, numbers(), numbers(), ops).prop_map(|(index, value, value_two, op)| Condition {
        index,
        value,
        value_two: if op == MaskedEq {
            value & value_two
        } else {
            value_two
        },
        op,
    })
}

fn rules() -> impl Strategy<Value = Rule> {
    let names = prop::sample::select(CALLS.map(|row| row.0.to_owned()).to_vec());
    let unknown = Just("no_such_call".to_owned());
    let names = prop::collection::vec(prop_oneof![9 => names, 1 => unknown], 1..4);
    let args = prop_oneof![Just(vec![]), prop::collection::vec(conditions(), 0..4)];
    (names, actions(), prop::option::of(0..4096u32), args).prop_map(
        |(names, action, errno_ret, args)| Rule {
            names,
            action,
            errno_ret,
            args,
        },
    )
}

fn profiles() -> impl Strategy<Value = Profile> {
    let archs =
        prop::sample::subsequence(vec![Arch::X86_64, Arch::X86, Arch::X32, Arch::S390X], 0..4);
    (
        actions(),
        prop::option::of(0..4096u32),
        archs,
        prop::collection::vec(rules(), 0..12),
    )
        .prop_map(
            |(default_action, default_errno_ret, architectures, syscalls)| Profile {
                default_action,
                default_errno_ret,
                architectures,
                flags: vec![],
                listener_path: None,
                listener_metadata: None,
                syscalls,
            },
        )
}

fn calls() -> impl Strategy<Value = Call> {
    let known = (0..CALLS.len(), 0..3).prop_map(|(row, column)| match column {
        0 => (X86_64, CALLS[row].1),
        1 => (I386, CALLS[row].2.unwrap_or(400)),
        _ => (X86_64, CALLS[row].3),
    });
    let number = prop_oneof![0..600u32, (X32..X32 + 600)];
    let place = prop_oneof![3 => known, 1 => (prop::sample::select(vec![X86_64, I386]), number)];
    (
        place,
        [
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
            numbers(),
        ],
    )
        .prop_map(|((arch, number), args)| Call { number, arch, args })
}

/// A call whose arguments are those some rule asks about, or next to them.
fn near(profile: &Profile, call: &Call, nudge: u64) -> Call {
    let mut call = *call;
    for condition in profile.syscalls.iter().flat_map(|rule| &rule.args) {
        let aim = if condition.op == Op::MaskedEq {
            condition.value_two
        } else {
            condition.value
        };
        call.args[condition.index as usize] = aim.wrapping_add(nudge).wrapping_sub(1);
    }
    call
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_answers_as_its_rules_say(profile in profiles(), calls in prop::collection::vec(calls(), 30), nudge in 0..3u64) {
        let filter = compile_for(&profile, Machine::X86_64).expect("a profile within the limits");
        for call in calls.iter().flat_map(|call| [*call, near(&profile, call, nudge)]) {
            prop_assert_eq!(run(filter.program(), &call).0, expected(&profile, &call), "{:x?}", call);
        }
    }
}

/// A deny rule for bind(2) must not be open to those who come through socketcall(2).
#[test]
fn multiplexers_of_i386_obey_the_rules_of_what_they_carry() {
    let deny = r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "syscalls": [
        {"names": ["bind", "semop"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}]}"#;
    let profile = serde_json::from_str(deny).expect("a profile");
    let filter = compile_for(&profile, Machine::X86_64).expect("a filter");
    let answer = |number, first| {
        let args = [first, 0, 0, 0, 0, 0];
        run(
            filter.program(),
            &Call {
                number,
                arch: I386,
                args,
            },
        )
        .0
    };
    assert_eq!(answer(361, 0), 0x0005_000D, "bind");
    assert_eq!(answer(102, 2), 0x0005_000D, "socketcall(SYS_BIND)");
    assert_eq!(answer(102, 3), ALLOW, "socketcall(SYS_CONNECT)");
    assert_eq!(
        answer(117, 0x0001_0001),
        0x0005_000D,
        "ipc(SEMOP), version 1"
    );
    assert_eq!(answer(117, 2), ALLOW, "ipc(SEMGET)");
}
