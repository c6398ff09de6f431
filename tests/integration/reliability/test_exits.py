"""How programs end is told exactly, however fast they are and however many."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pyctr
from pyctr.errors import StartFailure
from tests.integration.reliability.host import FULL, times

if TYPE_CHECKING:
    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

CODES = {0: "true", 37: "exit 37", 126: "exit 126", 127: "exit 127", 137: "sh -c 'kill -9 $$'; exit $?"}


def test_fast_exits(engine: pyctr.Engine) -> None:
    for turn in range(times(35, 1000)):
        code = list(CODES)[turn % len(CODES)]
        assert engine.run("host", ["sh", "-c", CODES[code]], network="none").exit_code == code
    for program, code in (("/nosuch", 127), ("/etc/passwd", 126)):
        with pytest.raises(StartFailure) as raised:
            engine.run("host", program, network="none")
        assert raised.value.exit_code == code


def test_fast_exits_of_the_command_line(host: Host) -> None:
    for turn in range(times(2, 40)):
        for code, script in CODES.items():
            mode = ("--rm",) if turn % 2 else ()
            done = host.pyctr("run", *mode, "--net=none", "busybox", "sh", "-c", script)
            assert done.returncode == code, (done.returncode, done.stderr)
        assert host.pyctr("run", "--rm", "--net=none", "busybox", "nosuch").returncode == 127
        assert host.pyctr("run", "--rm", "--net=none", "busybox", "/etc/group").returncode == 126


def test_detached_fast_exits_are_waited_for(host: Host) -> None:
    for code, script in CODES.items():
        id = host.pyctr.ok("run", "-d", "--net=none", "busybox", "sh", "-c", script).strip()
        assert host.pyctr.ok("wait", id) == f"{code}\n"
        assert host.pyctr.ok("inspect", "-f", "{{.State.ExitCode}} {{.State.Pid}}", id) == f"{code} 0\n"


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_stop_takes_as_long_as_it_is_given(engine: pyctr.Engine, paused: bool) -> None:
    """Never early; how late depends on the machine, so the half second is only for a quiet one."""
    container = engine.containers.run(
        "host", ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], network="none"
    )
    if paused:
        container.pause()
    before = time.monotonic()
    container.stop(timeout=times(1, 2))
    lasted = time.monotonic() - before
    assert lasted >= times(1, 2) - 0.5
    if FULL:
        assert lasted <= 2.5
    assert container.attrs["State"]["ExitCode"] == 137


def test_a_stop_that_is_heard_does_not_wait(engine: pyctr.Engine) -> None:
    container = engine.containers.run(
        "host", ["sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.05; done"], network="none"
    )
    time.sleep(0.2)
    container.pause()
    container.stop(timeout=60)
    assert container.attrs["State"]["ExitCode"] == 9


def open_descriptors() -> Counter[str]:
    kinds: Counter[str] = Counter()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            kinds[str(fd.readlink()).partition(":")[0]] += 1
        except OSError:
            continue
    return kinds


def zombies() -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] == "Z" and int(fields[1]) == os.getpid():
            found.append(stat.parent.name)
    return found


def test_a_long_life_leaks_nothing(engine: pyctr.Engine) -> None:
    def work() -> None:
        container = engine.containers.run("host", ["sleep", "1000"], network="none")
        assert container.exec(["sh", "-c", "exit 3"]).exit_code == 3
        container.remove(force=True)

    def turn() -> None:
        assert engine.run("host", "true", network="none").exit_code == 0
        with pytest.raises(StartFailure):
            engine.run("host", "/nosuch", network="none")

    work()
    turn()
    before = open_descriptors()
    for number in range(times(12, 500)):
        turn()
        if number % 10 == 0:
            work()
    deadline = time.monotonic() + 20
    while (
        open_descriptors() != before and time.monotonic() < deadline
    ):  # the sweeper's, which works behind us
        time.sleep(0.02)
    assert open_descriptors() == before
    assert zombies() == []


def test_many_threads(engine: pyctr.Engine) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        try:
            for turn in range(times(3, 30)):
                code = (number * 7 + turn) % 120
                result = engine.run(
                    "host", ["sh", "-c", f"echo {number} {turn}; exit {code}"], network="none"
                )
                if (result.exit_code, result.stdout) != (code, f"{number} {turn}\n".encode()):
                    wrong.append(result)
        except Exception as error:
            wrong.append(error)

    engine.run("host", "true", network="none")
    before = threading.active_count()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert threading.active_count() == before
    assert zombies() == []
    assert engine.containers.list(all=True) == []
