//! Containers of an ordinary user, who is root inside.

use std::process::exit;

use pyctr_sys::clone::{Clone, Cloned};
use rustix::{
    process::{DumpableBehavior, WaitOptions, set_dumpable_behavior, waitpid},
    thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};
use serde_json::json;

use crate::support::{Bundle, Case};

pub const CASES: &[Case] = &[("a_user_runs_and_execs", user)];

const USER: u32 = 12_345;

/// Runs `work` as the user; whether it ended well.
fn as_user(work: impl FnOnce()) -> bool {
    match Clone::default().spawn().unwrap() {
        Cloned::Parent(pid, _) => {
            waitpid(Some(pid), WaitOptions::empty())
                .unwrap()
                .unwrap()
                .1
                .exit_status()
                == Some(0)
        }
        Cloned::Child => {
            let (uid, gid) = (Uid::from_raw(USER), Gid::from_raw(USER));
            set_thread_groups(&[]).unwrap();
            set_thread_res_gid(gid, gid, gid).unwrap();
            set_thread_res_uid(uid, uid, uid).unwrap();
            // As after an execve: the maps of our children are ours to write.
            set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            exit(i32::from(done.is_err()))
        }
    }
}

fn user() {
    let mut bundle = Bundle::new(&["sleep", "60"]);
    let map = json!([{"containerID": 0, "hostID": USER, "size": 1}]);
    bundle
        .set("/linux/uidMappings", map.clone())
        .set("/linux/gidMappings", map)
        .namespace("user", None);
    let linux = bundle.document["linux"].as_object_mut().unwrap();
    linux.remove("resources");
    let mounts = bundle.document["mounts"].as_array_mut().unwrap();
    mounts.retain(|mount| mount["type"] != "cgroup");
    mounts
        .iter_mut()
        .filter(|mount| mount["type"] == "devpts")
        .for_each(|mount| {
            mount["options"] = json!([
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620"
            ]);
        });
    bundle.give_to(USER);
    assert!(as_user(|| {
        let running = bundle.start();
        let (code, output) = running.exec(&[
            "sh",
            "-c",
            "id -u; echo $$; cat /proc/1/cmdline | tr '\\0' ' '",
        ]);
        assert_eq!(code, 0, "{output}");
        let lines: Vec<_> = output.lines().collect();
        assert_eq!((lines[0], lines[2]), ("0", "sleep 60 "));
        assert!(
            running
                .child
                .warnings
                .iter()
                .any(|warning| warning.contains("no cgroup")),
            "{:?}",
            running.child.warnings
        );
    }));
}
