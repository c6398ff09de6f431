//! Filters in force: this test program runs itself again, loads a profile, and looks at what calls answer.

use std::io::Write;
use std::process::{Command, ExitStatus};

use pyctr_seccomp::{Profile, compile};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};

const PROFILE: &str = "PYCTR_TEST_PROFILE";
const TASK: &str = "PYCTR_TEST_TASK";

/// What the program does when it is run again.
fn main_of_child(task: &str, profile: &str) -> ! {
    let profile: Profile = serde_json::from_str(profile).expect("a profile");
    let filter = compile(&profile).expect("a filter");
    rustix::thread::set_no_new_privs(true).expect("prctl");
    let listener = filter.load().expect("seccomp");
    let answer = |errno: Result<(), Errno>| errno.map_or_else(|errno| errno.raw_os_error(), |()| 0);
    let code = match task {
        "nothing" => 0,
        "socket-40" => {
            answer(socket(AddressFamily::from_raw(40), SocketType::STREAM, None).map(drop))
        }
        "socket-1" => answer(socket(AddressFamily::UNIX, SocketType::STREAM, None).map(drop)),
        "nice" => answer(rustix::process::getpriority_process(None).map(drop)),
        "listener" => i32::from(listener.is_none()),
        other => unreachable!("no such task: {other}"),
    };
    std::process::exit(code)
}

/// Runs `task` under `profile`.
fn under(profile: &str, task: &str) -> ExitStatus {
    Command::new(std::env::current_exe().expect("the path of this program"))
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(PROFILE, profile)
        .env(TASK, task)
        .stdout(std::process::Stdio::null())
        .status()
        .expect("run this program")
}

/// Not a test by itself: the way in for [`under`].
#[test]
fn child() {
    if let (Ok(task), Ok(profile)) = (std::env::var(TASK), std::env::var(PROFILE)) {
        std::io::stdout().flush().expect("flush");
        main_of_child(&task, &profile);
    }
}

/// A profile that allows all but what `syscalls` says.
fn allowing(syscalls: &str) -> String {
    format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{syscalls}]}}"#)
}

#[test]
fn an_errno_comes_back_for_the_matching_argument_alone() {
    let profile = allowing(
        r#"{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77,
            "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]}"#,
    );
    assert_eq!(under(&profile, "socket-40").code(), Some(77));
    assert_eq!(under(&profile, "socket-1").code(), Some(0));
}

#[test]
fn a_kill_is_a_sigsys() {
    use std::os::unix::process::ExitStatusExt;
    let profile = allowing(r#"{"names": ["getpriority"], "action": "SCMP_ACT_KILL_PROCESS"}"#);
    assert_eq!(under(&profile, "nothing").code(), Some(0));
    assert_eq!(under(&profile, "nice").signal(), Some(31));
}

#[test]
fn notify_gives_a_listener_and_flags_are_accepted() {
    let rule = r#"{"names": ["getpriority"], "action": "SCMP_ACT_NOTIFY"}"#;
    let flags = r#""flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]"#;
    let profile =
        format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", {flags}, "syscalls": [{rule}]}}"#);
    assert_eq!(under(&profile, "listener").code(), Some(0));
    assert_eq!(under(&allowing(""), "listener").code(), Some(1));
}

#[test]
fn a_filter_of_thousands_of_instructions_loads_and_answers() {
    let range = |n: u32| {
        format!(
            r#"{{"index": {}, "value": {}, "op": "SCMP_CMP_EQ"}}"#,
            n % 6,
            u64::from(n) << 31 | 0xABCD
        )
    };
    let rules = (1..700).map(|n| {
        format!(
            r#"{{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": {n}, "args": [{}]}}"#,
            range(n)
        )
    });
    let last = r#"{"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 66,
        "args": [{"index": 0, "value": 40, "op": "SCMP_CMP_EQ"}]}"#;
    let profile = allowing(&rules.chain([last.to_owned()]).collect::<Vec<_>>().join(","));
    assert_eq!(under(&profile, "socket-40").code(), Some(66));
    assert_eq!(under(&profile, "socket-1").code(), Some(0));
}
