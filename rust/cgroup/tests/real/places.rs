//! Who cannot use the whole hierarchy: ordinary users, and processes in containers.

use std::{fs, os::unix::fs::chown, path::Path, process::Command};

use pyctr_cgroup::{Cgroup, Driver};

use crate::{
    process::{self, Process},
    support::{Group, v2},
};

pub const TESTS: &[crate::Test] = &[
    (
        "an_ordinary_user_without_a_group",
        an_ordinary_user_without_a_group,
    ),
    (
        "an_ordinary_user_with_a_delegated_group",
        an_ordinary_user_with_a_delegated_group,
    ),
    ("inside_of_a_container", inside_of_a_container),
];

/// Somebody without any rights.
const USER: u32 = 12345;

fn an_ordinary_user_without_a_group() {
    let answer = start_as(USER, Path::new("/dev/null"), "/pyctr-test-user").answer();
    let expected = "cannot make cgroup /pyctr-test-user: no cgroup hierarchy is writable";
    assert!(answer.starts_with(expected), "{answer}");
}

/// As systemd delegates: the directory and the files that hand out processes and controllers belong to the user.
fn an_ordinary_user_with_a_delegated_group() {
    if !v2() {
        return;
    }
    let delegated = Group::new("delegated");
    let inner =
        Cgroup::create(&format!("{}/app/shell", delegated.path()), Driver::Cgroupfs).expect("made");
    for path in [
        delegated.dir(""),
        delegated.dir("").join("app"),
        inner.paths()[""].clone(),
    ] {
        for file in [
            "",
            "cgroup.procs",
            "cgroup.subtree_control",
            "cgroup.threads",
        ] {
            chown(path.join(file), Some(USER), Some(USER)).expect("handed over");
        }
    }
    let procs = inner.paths()[""].join("cgroup.procs");
    let answer = start_as(USER, &procs, "/pyctr-test-user").answer();
    assert_eq!(
        answer,
        format!(
            "{} 104857600 33",
            delegated.dir("").join("pyctr-test-user").display()
        )
    );
}

/// A container sees its own group as the top, and is in it itself.
fn inside_of_a_container() {
    if !v2() {
        return;
    }
    let outer = Group::new("outer");
    let answer = Process::start(&outer, &["contained", "/pyctr/inner"]).answer();
    assert_eq!(answer, "/sys/fs/cgroup/pyctr/inner 104857600 33");
    assert_eq!(
        fs::read_to_string(outer.dir("").join("cgroup.procs")).expect("read"),
        "",
        "they had to move"
    );
}

/// A process of another user that makes a group, put into a group of ours before.
fn start_as(user: u32, procs: &Path, path: &str) -> Process {
    // The user may not be able to reach the program where it is.
    let program = std::env::temp_dir().join(format!("pyctr-test-{}", std::process::id()));
    fs::copy(std::env::current_exe().expect("this program"), &program).expect("copied");
    let mut command = Command::new("sh");
    command
        .args(["-c", "echo $$ >\"$0\" && exec \"$@\""])
        .arg(procs)
        .arg("setpriv");
    command.args([
        format!("--reuid={user}"),
        format!("--regid={user}"),
        "--clear-groups".to_owned(),
    ]);
    command.arg(&program).args([process::MARK, path, "make"]);
    let process = Process::spawn(command);
    fs::remove_file(program).expect("removed");
    process
}
