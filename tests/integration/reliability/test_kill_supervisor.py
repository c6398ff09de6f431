"""kill -9 of supervisors: the next command says that the container is dead, and it can go on from there."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyctr.store import owner
from tests.integration.reliability.host import only_when_full, supervisor_of, times

if TYPE_CHECKING:
    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(1200)]

TREE = "sleep 1000 & (sleep 1000 & setsid sleep 1000 &) ; trap '' TERM; echo up; wait"
START = ["run", "-d", "--net=none", "--name", "box", "busybox", "sh", "-c", TREE]


def kill_supervisor(host: Host, id: str) -> None:
    os.kill(supervisor_of(host.base, id), signal.SIGKILL)


def members(id: str) -> list[str]:
    """Every process in the container's cgroups."""
    return [
        pid
        for file in Path("/sys/fs/cgroup").glob(f"*/pyctr/{id}/cgroup.procs")
        for pid in file.read_text().split()
    ]


@pytest.mark.parametrize(
    "look",
    [["ps", "-a"], ["inspect", "box"], ["start", "box"], ["rm", "box"], ["logs", "box"]],
    ids=lambda v: v[0],
)
@pytest.mark.parametrize("pause", [False, True], ids=["running", "paused"])
def test_the_next_command_knows(host: Host, look: list[str], pause: bool) -> None:
    only_when_full(not pause or look[0] in ("ps", "start"))
    id = host.pyctr.ok(*START).strip()
    if pause:
        host.pyctr.ok("pause", "box")
    assert members(id)
    pid = int(host.pyctr.ok("inspect", "-f", "{{.State.Pid}}", "box"))
    kill_supervisor(host, id)
    host.pyctr.ok(*look)
    if look[0] == "start":
        assert host.rows() == {id: "running"}
        assert host.pyctr.ok("exec", "box", "echo", "again") == "again\n"
        return
    assert members(id) == []
    assert owner.start_time(pid) == 0  # the machine's init buries it when it comes to it
    if look[0] != "rm":
        assert host.clean() == {id: "dead"}
        assert host.pyctr.ok("inspect", "-f", "{{.State.Dead}} {{.State.ExitCode}}", "box") == "true 137\n"
        host.pyctr.ok("start", "box")
        assert host.clean() == {id: "running"}
        assert host.pyctr("stop", "-t", "0", "box").returncode == 0


def test_attached_clients_are_told(host: Host) -> None:
    process = host.pyctr.start("run", "--rm", "--net=none", "busybox", "sh", "-c", TREE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    (id,) = host.rows()
    exec_ = host.pyctr.start("exec", id, "sh", "-c", "echo up; sleep 1000")
    assert exec_.stdout is not None
    assert exec_.stdout.readline() == b"up\n"
    waiter = host.pyctr.start("wait", id)
    time.sleep(0.3)
    kill_supervisor(host, id)
    for one in (process, exec_, waiter):
        _, errors = one.communicate(timeout=20)
        assert b"Traceback" not in errors
    assert process.returncode == 137
    assert exec_.returncode != 0
    assert host.clean() == {}


@pytest.mark.parametrize("mode", ["-d", "--rm"])
def test_a_stopped_supervisor_whose_starter_died_keeps_nobody_waiting(host: Host, mode: str) -> None:
    """Stopped at some moment of its start. Once it goes on, the container is what it would have been."""
    for _ in range(times(1, 40)):
        starter = host.pyctr.start("run", mode, "--net=none", "busybox", "sleep", "1000")
        deadline = time.monotonic() + 60
        pids: list[int] = []
        while not pids:
            assert time.monotonic() < deadline
            locks = (host.base / "run" / "containers").glob("*/shim.lock")
            pids = [int(text) for lock in locks if (text := lock.read_text())]
        time.sleep(random.uniform(0, 0.01))
        os.kill(pids[0], signal.SIGSTOP)
        starter.kill()
        starter.communicate()
        host.rows()
        assert host.pyctr.ok("run", "--rm", "--net=none", "busybox", "echo", "well") == "well\n"
        os.kill(pids[0], signal.SIGCONT)
        host.empty()


def test_at_random_moments(host: Host) -> None:
    for _ in range(times(3, 100)):
        process = host.pyctr.start("run", "--rm", "--net=none", "busybox", "sh", "-c", "exit 5")
        deadline = time.monotonic() + 5
        victims: list[Path] = []
        while not victims and time.monotonic() < deadline and process.poll() is None:
            victims = [*(host.base / "run" / "containers").glob("*/shim.lock")]
        time.sleep(random.uniform(0, 0.012))
        for victim in victims:
            try:
                os.kill(int(victim.read_text()), signal.SIGKILL)
            except (OSError, ValueError):
                continue
        _, errors = process.communicate(timeout=30)
        assert b"Traceback" not in errors
        assert process.returncode in (5, 125, 137), (process.returncode, errors)
        assert host.clean() == {}
