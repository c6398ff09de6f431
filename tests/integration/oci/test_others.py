"""What the test suites of other runtimes expect, where ours once did otherwise."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.oci.runtime import HIERARCHIES, Runtime, until

pytestmark = [pytest.mark.root]

NOT_RUN = 255


def create(oci: Runtime, *args: str) -> str:
    """A container whose program waits for start."""
    streams = {"capture_output": False, "stdout": subprocess.DEVNULL}
    oci("create", "--bundle", oci.bundle(*args).write(), oci.name(), **streams)
    return oci.name()


def test_line_ends_in_the_foreground(oci: Runtime) -> None:
    """A terminal of the program's leaves them alone from its first word on."""
    bundle = oci.bundle("echo", "hello").set("process.terminal", True)
    assert oci.run(bundle, text=False) == str(b"hello\n")
    name = oci.start(oci.bundle("sleep", "60"))
    assert oci("exec", "--tty", name, "echo", "hello", text=False) == str(b"hello\n")


def test_a_created_container(oci: Runtime) -> None:
    """It holds nothing of the host's that its program could get at, and ends when it is asked to."""
    name = create(oci, "sleep", "60")
    fds = Path(f"/proc/{oci.inspect(name)['pid']}/fd")
    held = {str(fd.readlink()) for fd in fds.iterdir() if int(fd.name) > 2}
    assert {target for target in held if not target.startswith("socket:")} == {
        str(oci.state / name / "exec.fifo")
    }
    oci("kill", name, "TERM")
    oci.wait(name)


def test_signal_0(oci: Runtime) -> None:
    """It asks whether there is somebody."""
    name = oci.start(oci.bundle("sleep", "60"))
    oci("kill", name, "0")
    oci("kill", name, "KILL")
    oci.wait(name)
    assert oci.refuse("kill", name, "0") == f"cannot kill container {name}: container not running"
    oci("kill", "--all", name, "0")


def test_processors_of_the_runtime(oci: Runtime) -> None:
    """Where the runtime itself may run is nobody else's business."""
    every = os.sched_getaffinity(0)
    bundle = oci.bundle("grep", "Cpus_allowed_list", "/proc/self/status")
    (bundle.rootfs / "bin/grep").symlink_to("busybox")
    one = {"preexec_fn": lambda: os.sched_setaffinity(0, [min(every)])}
    first = oci.run(bundle, name="free")
    assert oci.run(bundle, name="bound", **one) == first
    name = oci.start(bundle.set("process.args", ["sleep", "60"]))
    assert oci("exec", name, "grep", "Cpus_allowed_list", "/proc/self/status", **one) == first


@pytest.mark.skipif(
    (HIERARCHIES / "cgroup.procs").exists(), reason="one hierarchy has no controllers to choose"
)
def test_a_cgroup_below_of_one_controller(oci: Runtime) -> None:
    """--cgroup CONTROLLER:PATH, more than once; the others stay where they are."""
    name = oci.start(oci.bundle("sleep", "60"))
    for directory in oci.cgroups(f"pyctr/{name}"):
        (directory / "sub").mkdir()
    lines = oci("exec", "--cgroup", "pids:sub", "--cgroup", "memory:/", name, "cat", "/proc/self/cgroup")
    ends = {line.split(":")[1]: line.endswith("/sub") for line in lines.splitlines()}
    assert (ends["pids"], ends["memory"], ends[""]) == (True, False, False)
    for words, part in [("nope:/", "unknown controller nope"), ("pids:missing", "error adding pid to ")]:
        assert part in oci.refuse("exec", "--cgroup", words, name, "true", status=NOT_RUN)


def test_binds_inside_the_root(oci: Runtime) -> None:
    """Named by their place on the host, they see what earlier mounts have put there."""
    bundle = oci.bundle("cat", "/seen/word")
    (bundle.path / "data").mkdir()
    (bundle.path / "data/word").write_text("here\n")
    mounts = bundle.document["mounts"]
    bind = {"type": "bind", "options": ["rbind"]}
    mounts.append(bind | {"destination": "/data", "source": "data"})
    mounts.append(bind | {"destination": f"{bundle.rootfs}/seen", "source": f"{bundle.rootfs}/data"})
    assert oci.run(bundle) == "here\n"
    namespaces = bundle.document["linux"]["namespaces"]
    bundle.set("linux.namespaces", [*namespaces, {"type": "user"}])
    assert oci.run(bundle) == "here\n"


def test_a_user_namespace_without_maps(oci: Runtime) -> None:
    """Root's own ids are in it, each under its own number."""
    bundle = oci.bundle("cat", "/proc/self/uid_map")
    bundle.set("linux.namespaces", [*bundle.document["linux"]["namespaces"], {"type": "user"}])
    assert oci.run(bundle).split() == Path("/proc/self/uid_map").read_text().split()


def test_masks_that_are_listed_twice(oci: Runtime) -> None:
    """One mount is enough."""
    bundle = oci.bundle("cat", "/proc/self/mountinfo").set("linux.maskedPaths", ["/tmp", "/tmp"])
    assert oci.run(bundle).count(" /tmp ") == 1


def test_groups_are_those_of_the_document(oci: Runtime) -> None:
    """The first group is not among the further ones unless it is listed."""
    bundle = oci.bundle("grep", "Groups", "/proc/self/status")
    (bundle.rootfs / "bin/grep").symlink_to("busybox")
    bundle.set("process.user", {"uid": 1000, "gid": 1000, "additionalGids": [2000]})
    assert oci.run(bundle).split() == ["Groups:", "2000"]


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("linux.sysctl", {"kernel.domainname": "b"}, "kernel.domainname: is in conflict with domainname"),
        ("process.scheduler", {"policy": "SCHED_DEADLINE"}, "requires `runtime`"),
        ("linux.memoryPolicy", {"mode": "MPOL_DEFAULT", "nodes": "0"}, "requires 0 nodes but got 1"),
    ],
)
def test_refusals(oci: Runtime, field: str, value: Any, line: str) -> None:
    """Documents that contradict themselves."""
    bundle = oci.bundle("true").set("domainname", "a").set(field, value)
    assert line in oci.refuse("run", "--bundle", bundle.write(), oci.name())


def test_a_link_for_dev_is_refused(oci: Runtime) -> None:
    """The devices would be made elsewhere."""
    bundle = oci.bundle("true")
    bundle.document["mounts"] = bundle.document["mounts"][:1]
    (bundle.rootfs / "dev").rmdir()
    (bundle.rootfs / "dev").symlink_to("tmp")
    assert "cannot make /dev" in oci.refuse("run", "--bundle", bundle.write(), oci.name())
    assert list((bundle.rootfs / "tmp").iterdir()) == []


def test_a_capability_that_nobody_knows(oci: Runtime) -> None:
    """On the command line it is a mistake."""
    name = oci.start(oci.bundle("sleep", "60"))
    line = oci.refuse("exec", "--cap", "CAP_FLY", name, "true", status=NOT_RUN)
    assert line == 'unknown capability "CAP_FLY"'


@pytest.mark.v2
def test_limits_of_no_processes(oci: Runtime) -> None:
    """One is the least there can be."""
    name = oci.start(oci.bundle("sleep", "60").set("linux.resources", {"pids": {"limit": 0}}))
    places = [found / "pids.max" for found in oci.cgroups(f"pyctr/{name}")]
    assert [place.read_text() for place in places if place.exists()] == ["1\n"]


@pytest.mark.v2
def test_who_outlives_the_first_process(oci: Runtime) -> None:
    """Without a pid namespace others may; delete ends them."""
    bundle = oci.bundle("sleep", "60")
    namespaces = [entry for entry in bundle.document["linux"]["namespaces"] if entry["type"] != "pid"]
    name = oci.start(bundle.set("linux.namespaces", namespaces))
    pid_file = oci.base / "pid"
    streams = {"capture_output": False, "stdout": subprocess.DEVNULL}
    oci("exec", "--detach", "--pid-file", str(pid_file), name, "sleep", "60", **streams)
    command = Path(f"/proc/{pid_file.read_text()}/cmdline")
    assert command.read_text()
    os.kill(oci.inspect(name)["pid"], 9)
    oci.wait(name)
    oci("delete", name)
    until(lambda: not command.exists() or not command.read_text(), "the other to end")


@pytest.mark.v2
def test_spec_has_the_namespaces_of_its_cgroups(oci: Runtime) -> None:
    """A cgroup namespace with version 2 alone, as programs that expect version 1 want to see all of it."""
    oci("spec", "--bundle", str(oci.base))
    kinds = {
        entry["type"] for entry in json.loads((oci.base / "config.json").read_text())["linux"]["namespaces"]
    }
    assert ("cgroup" in kinds) == (HIERARCHIES / "cgroup.controllers").exists()


def test_state_somewhere_that_is_not_there(oci: Runtime) -> None:
    """The directory itself may be missing, where it should be may not."""
    assert oci("list", "--quiet") == ""
    line = oci.call("--root", "/not/there", "list").stderr
    assert line == "pyctr-oci: cannot read /not/there: no such file or directory\n"
