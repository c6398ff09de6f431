"""Limits hold, the files say so, and a file written by hand is what the kernel and stats go by.

Marked ``v2``: the same tests run on the test machine, whose kernel has only cgroup version 2.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyctr import _core

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyctr

pytestmark = [pytest.mark.root, pytest.mark.v2]

MIB = 1 << 20
SPIN = ["sh", "-c", "while :; do :; done"]
SLEEP = ["sleep", "1000"]


def control_file(container: pyctr.Container, v1: str, v2: str) -> Path:
    """The file of a container's cgroup, found as a person would: by /proc and by looking."""
    pid = container.attrs["State"]["Pid"]
    groups = dict(line.split(":")[1:] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines())
    if (Path("/sys/fs/cgroup") / "cgroup.controllers").exists():
        return Path(f"/sys/fs/cgroup{groups['']}/{v2}")
    controller = v1.partition(".")[0]
    return Path(f"/sys/fs/cgroup/{controller}{groups[controller]}/{v1}")


def eventually(what: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, f"this never came: {what}"
        time.sleep(0.01)


def processor_time(container: pyctr.Container) -> int:
    return int(container.stats()["cpu_stats"]["cpu_usage"]["total_usage"])


def test_limits_are_in_the_files(engine: pyctr.Engine) -> None:
    limits = {"Memory": 100 * MIB, "NanoCpus": 500_000_000, "PidsLimit": 50, "CpusetCpus": "0"}
    container = engine.containers.run("host", SLEEP, host_config=limits)
    expected = [
        ("memory.limit_in_bytes", "memory.max", {"104857600"}),
        ("cpu.cfs_quota_us", "cpu.max", {"50000", "50000 100000"}),
        ("pids.max", "pids.max", {"50"}),
        ("cpuset.cpus", "cpuset.cpus", {"0"}),
    ]
    for v1, v2, values in expected:
        file = control_file(container, v1, v2)
        assert container.id in str(file)
        assert file.read_text().strip() in values


def test_a_file_written_by_hand_takes_effect(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP)
    control_file(container, "memory.limit_in_bytes", "memory.max").write_text("104857600")
    control_file(container, "pids.max", "pids.max").write_text("3")
    stats = container.stats()
    assert stats["memory_stats"]["limit"] == 100 * MIB
    assert stats["pids_stats"]["limit"] == 3
    result = container.exec(["sh", "-c", "(sleep 0; sleep 0) & (sleep 0; sleep 0) & wait"])
    assert b"fork" in result.stderr


def test_update_changes_the_files_and_stats(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP, host_config={"Memory": 50 * MIB, "PidsLimit": 20})
    container.update(Memory=80 * MIB, MemorySwap=80 * MIB, PidsLimit=30, CpuQuota=20000, CpuPeriod=50000)
    assert control_file(container, "memory.limit_in_bytes", "memory.max").read_text() == "83886080\n"
    assert control_file(container, "pids.max", "pids.max").read_text() == "30\n"
    quota = control_file(container, "cpu.cfs_quota_us", "cpu.max").read_text().split()[0]
    assert quota == "20000"
    assert container.stats()["memory_stats"]["limit"] == 80 * MIB


def test_running_out_of_memory_is_told(engine: pyctr.Engine) -> None:
    container = engine.containers.run(
        "host", ["tail", "/dev/zero"], host_config={"Memory": 20 * MIB, "MemorySwap": 20 * MIB}
    )
    assert container.wait() == 137
    assert container.attrs["State"]["OOMKilled"] is True
    other = engine.containers.run("host", SLEEP, host_config={"Memory": 20 * MIB})
    other.kill()
    assert other.wait() == 137
    assert other.attrs["State"]["OOMKilled"] is False


def test_tasks_are_limited(engine: pyctr.Engine) -> None:
    script = "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; echo done"
    result = engine.run("host", ["sh", "-c", script], host_config={"PidsLimit": 5})
    assert b"fork" in result.stderr
    assert b"done" not in result.stdout


def test_a_paused_container_stands_still(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SPIN)
    eventually("it runs", lambda: processor_time(container) > 20_000_000)
    container.pause()
    assert container.status == "paused"
    before = processor_time(container)
    time.sleep(0.2)
    assert processor_time(container) - before < 20_000_000
    container.unpause()
    assert container.status == "running"
    before = processor_time(container)
    eventually("it runs again", lambda: processor_time(container) > before + 20_000_000)


def test_a_paused_container_can_be_killed(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP)
    container.pause()
    container.remove(force=True)


def test_a_quota_holds_back(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SPIN, host_config={"CpuQuota": 5000, "CpuPeriod": 50000})
    eventually(
        "it is held back",
        lambda: container.stats()["cpu_stats"]["throttling_data"]["throttled_periods"] > 2,
    )


def test_who_enters_later_is_in_the_same_cgroup(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP)
    pids = _core.cgroup_pids(f"/pyctr/{container.id}")
    assert pids == [container.attrs["State"]["Pid"]]
    result = container.exec(["cat", "/proc/self/cgroup"])
    assert result.exit_code == 0
    first = Path(f"/proc/{pids[0]}/cgroup").read_text().splitlines()
    groups = {line.split(":")[1] for line in first if line.endswith(container.id)}
    # Inside of a cgroup namespace the container's own group is the top.
    inside = [line.split(":") for line in result.stdout.decode().splitlines()]
    assert {name for _, name, path in inside if path == "/" or path.endswith(container.id)} >= groups


def test_devices_that_are_not_given_cannot_be_opened(engine: pyctr.Engine) -> None:
    script = "mknod /tmp/messages c 1 11 && echo made && head -c 0 /dev/zero && : </tmp/messages"
    result = engine.run("host", ["sh", "-c", script])
    assert result.stdout == b"made\n"
    assert result.exit_code != 0
    assert b"Operation not permitted" in result.stderr


def test_the_machine_is_described(engine: pyctr.Engine) -> None:
    described = json.loads(_core.cgroup_info())
    info = engine.info()
    assert info["CgroupVersion"] == str(described["version"])
    assert {"memory", "pids", "devices", "freezer"} <= set(described["controllers"])
