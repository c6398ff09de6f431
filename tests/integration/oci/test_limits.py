"""Limits and accounts: update, events, pause and resume, and where the cgroups lie."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.integration.oci.runtime import HIERARCHIES, Runtime, until

pytestmark = [pytest.mark.root, pytest.mark.v2]

#: The files that say the same in version 1 and in version 2.
FILES = {
    "memory": ("memory.limit_in_bytes", "memory.max"),
    "reservation": ("memory.soft_limit_in_bytes", "memory.low"),
    "pids": ("pids.max", "pids.max"),
    "cpus": ("cpuset.cpus", "cpuset.cpus"),
}


def limit(oci: Runtime, path: str, what: str) -> str:
    """What the kernel says of a limit."""
    found = [directory / name for directory in oci.cgroups(path) for name in FILES[what]]
    return next(file.read_text().strip() for file in found if file.exists())


def test_default_place_and_limits(oci: Runtime) -> None:
    """Without a path a container is at pyctr/ID in every hierarchy, with the limits of its document."""
    bundle = oci.bundle("sleep", "600")
    bundle.set("linux.resources", {"memory": {"limit": 64 << 20}, "pids": {"limit": 20}})
    name = oci.start(bundle)
    place = f"pyctr/{name}"
    assert (limit(oci, place, "memory"), limit(oci, place, "pids")) == (str(64 << 20), "20")
    pid = oci.inspect(name)["pid"]
    for directory in oci.cgroups(place):
        assert str(pid) in (directory / "cgroup.procs").read_text().split()


def test_update(oci: Runtime) -> None:
    """By options, also behind the id, and by a document; what is not named stays as it is."""
    bundle = oci.bundle("sleep", "600").set("linux.resources", {"pids": {"limit": 20}})
    name = oci.start(bundle)
    place = f"pyctr/{name}"
    oci("update", "--memory", "64m", "--memory-swap", "-1", "--pids-limit", "30", name)
    assert (limit(oci, place, "memory"), limit(oci, place, "pids")) == (str(64 << 20), "30")
    oci(
        "update",
        name,
        "--cpuset-cpus",
        "0",
        "--cpu-share",
        "512",
        "--cpu-quota",
        "50000",
        "--cpu-period",
        "100000",
    )
    assert (limit(oci, place, "cpus"), limit(oci, place, "pids")) == ("0", "30")
    resources = {"memory": {"limit": 32 << 20, "reservation": 16 << 20}}
    oci("update", "--resources", "-", name, stdin=None, input=json.dumps(resources))
    assert (limit(oci, place, "memory"), limit(oci, place, "reservation")) == (str(32 << 20), str(16 << 20))
    file = oci.base / "resources.json"
    file.write_text(json.dumps({"pids": {"limit": -1}}))
    oci("update", "-r", str(file), name)
    assert limit(oci, place, "pids") == "max"
    for words, part in [
        (["--memory", "lots"], 'invalid value "lots" for --memory'),
        (["--pids-limit", "x"], 'invalid value "x" for --pids-limit'),
        (["--cpuset-cpus", "999"], "cpuset.cpus"),
        (["--resources", "/nope"], "cannot read /nope"),
    ]:
        assert part in oci.refuse("update", *words, name)
    file.write_text('{"pids": {"limit": "many"}}')
    assert "resources: " in oci.refuse("update", "--resources", str(file), name)
    assert "does not exist" in oci.refuse("update", "--pids-limit", "5", "nobody")


def test_pause_and_resume(oci: Runtime) -> None:
    """A paused container stands still, and can be killed."""
    bundle = oci.bundle("while :; do echo >> /tmp/ticks; sleep 0.01; done")
    name = oci.start(bundle)
    ticks = bundle.rootfs / "tmp/ticks"
    until(ticks.exists, "the first tick")
    oci("pause", name)
    assert oci.status(name) == "paused"
    size = ticks.stat().st_size
    with pytest.raises(AssertionError):
        until(lambda: ticks.stat().st_size > size, "ticks", seconds=0.2)
    assert "is paused" in oci.refuse("pause", name)
    oci("resume", name)
    assert oci.status(name) == "running"
    until(lambda: ticks.stat().st_size > size, "ticks")
    assert "not paused" in oci.refuse("resume", name)
    oci("pause", name)
    oci("kill", name, "KILL")
    oci.wait(name)
    assert "not running" in oci.refuse("pause", name)


def test_events(oci: Runtime) -> None:
    """Statistics once, or at an interval to the end of the container."""
    name = oci.start(oci.bundle("sleep", "600").set("linux.resources", {"memory": {"limit": 64 << 20}}))
    (line,) = oci("events", "--stats", name).splitlines()
    event = json.loads(line)
    assert list(event) == ["type", "id", "data"]
    assert (event["type"], event["id"]) == ("stats", name)
    data = event["data"]
    assert data["pids"]["current"] == 1
    assert data["memory"]["usage"]["limit"] == 64 << 20
    assert data["memory"]["usage"]["usage"] > 0
    assert data["cpu"]["usage"]["total"] > 0
    words = oci.command("events", "--interval", "10ms", name)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert [line["type"] for line in lines] == ["stats"] * 3
        oci("kill", name, "KILL")
        process.stdout.read()
        assert process.wait(30) == 0
    assert "not running" in oci.refuse("events", "--stats", name)
    assert 'invalid duration "soon"' in oci.refuse("events", "--interval", "soon", name)


@pytest.mark.parametrize("_again", range(3))
def test_out_of_memory(oci: Runtime, _again: int) -> None:
    """It is an event, told before the program's end whichever of the two is seen first."""
    bundle = oci.bundle("read x < /tmp/go; tail -c 64m /dev/zero")
    fifo = bundle.rootfs / "tmp/go"
    subprocess.run(["mkfifo", fifo], check=True)
    bundle.set("linux.resources", {"memory": {"limit": 16 << 20, "swap": 16 << 20}})
    name = oci.start(bundle)
    words = oci.command("events", "--interval", "1h", name)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        # With the first statistics somebody listens for the rest.
        assert json.loads(process.stdout.readline())["type"] == "stats"
        fifo.write_text("go\n")
        lines = [json.loads(line) for line in process.stdout]
        assert {"type": "oom", "id": name} in lines
        assert [line for line in lines if line["type"] != "oom"] == []
        assert process.wait(30) == 0


def test_a_path_of_ones_own(oci: Runtime) -> None:
    """An absolute path is taken as it is, parents that were there stay, even those that were left empty."""
    place = f"pyctr-test/{oci.name('pod')}"
    pod = [directory / place for directory in _hierarchies()]
    try:
        for directory in pod:
            directory.mkdir(parents=True)
        name = oci.start(oci.bundle("sleep", "600").set("linux.cgroupsPath", f"/{place}/a/b"))
        assert len(oci.cgroups(f"{place}/a/b")) == len(pod)
        line = oci.refuse(
            "run",
            "--bundle",
            oci.bundle("true").set("linux.cgroupsPath", f"/{place}/a/b").write(),
            oci.name("other"),
        )
        assert "is in use by other processes" in line
        oci("delete", "--force", name)
        assert oci.cgroups(f"{place}/a/b") == []
        assert len(oci.cgroups(place)) == len(pod)
    finally:
        for directory in pod:
            for found in (directory / "a", directory, directory.parent):
                if found.is_dir():
                    found.rmdir()


def _hierarchies() -> list[Path]:
    """Where the kernel lets us make groups of every hierarchy."""
    if (HIERARCHIES / "cgroup.procs").exists():
        return [HIERARCHIES]
    return [path for path in HIERARCHIES.iterdir() if (path / "cgroup.procs").exists()]


@pytest.mark.parametrize("option", [["--systemd-cgroup"], ["--cgroup-manager", "systemd"]])
def test_paths_of_systemds_form(oci: Runtime, option: list[str]) -> None:
    """slice:prefix:name is the place where systemd would put the scope."""
    bundle = oci.bundle("sleep", "600").set(
        "linux.cgroupsPath", f"pyctrtest-{oci.mark.replace('-', '_')}.slice:t:{oci.mark}"
    )
    streams = {"capture_output": False, "stdout": subprocess.DEVNULL}
    oci(*option, "run", "--detach", "--bundle", bundle.write(), oci.name(), **streams)
    slices = "pyctrtest.slice/pyctrtest-" + oci.mark.replace("-", "_") + ".slice"
    place = f"{slices}/t-{oci.mark}.scope"
    assert oci.cgroups(place)
    oci("delete", "--force", oci.name())
    assert oci.cgroups(place) == []
    for directory in oci.cgroups(slices):
        directory.rmdir()
        directory.parent.rmdir()
    bundle.set("linux.cgroupsPath", "/not/of/the/form")
    assert "slice:prefix:name" in oci.refuse(*option, "run", "--bundle", bundle.write(), oci.name())
    assert "unknown cgroup manager" in oci.call("--cgroup-manager", "magic", "list").stderr


def test_without_cgroups(oci: Runtime) -> None:
    """The disabled manager leaves a container where its caller is; what needs a group says so."""
    bundle = oci.bundle("sleep", "600").set("linux.resources", {"pids": {"limit": 20}})
    streams = {"capture_output": False, "stdout": subprocess.DEVNULL}
    oci("--cgroup-manager", "disabled", "run", "--detach", "--bundle", bundle.write(), oci.name(), **streams)
    pid = oci.inspect(oci.name())["pid"]
    assert Path(f"/proc/{pid}/cgroup").read_text() == Path("/proc/self/cgroup").read_text()
    for verb in (["pause"], ["update", "--pids-limit", "5"], ["events", "--stats"]):
        assert "cgroup" in oci.refuse(*verb, oci.name())
    assert oci("exec", oci.name(), "echo", "fine") == "fine\n"
    oci("delete", "--force", oci.name())
    with pytest.raises(FileNotFoundError):
        Path(f"/proc/{pid}/cwd").readlink()
