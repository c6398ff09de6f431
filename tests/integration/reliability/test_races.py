"""Many commands at once on the same things: each wins or says why not, and nothing is left in between."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.reliability.host import times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

SLEEP = ["busybox", "sleep", "1000"]


def at_once(host: Host, commands: Sequence[list[str]]) -> list[subprocess.CompletedProcess[bytes]]:
    """Run all of them at the same time."""
    processes = [host.pyctr.start(*command) for command in commands]
    done = []
    for process in processes:
        out, errors = process.communicate(timeout=120)
        assert b"Traceback" not in errors, errors.decode()
        done.append(subprocess.CompletedProcess(process.args, process.returncode, out, errors))
    return done


def test_one_name(host: Host) -> None:
    count = times(16, 64)
    done = at_once(host, [["create", "--net=none", "--name", "one", *SLEEP]] * count)
    lost = [one for one in done if one.returncode]
    assert len(lost) == count - 1
    for one in lost:
        assert one.returncode == 1
        assert b'name "/one" is already in use' in one.stderr
    assert list(host.clean().values()) == ["created"]


def test_runs_of_one_name(host: Host) -> None:
    count = times(8, 40)
    done = at_once(
        host, [["run", "--rm", "--net=none", "--name", "one", "busybox", "sh", "-c", "exit 4"]] * count
    )
    assert {one.returncode for one in done} <= {4, 125}
    assert 4 in {one.returncode for one in done}
    host.settle()
    assert host.clean() == {}


VERBS = [
    line.split()
    for line in """
        stop -t 0 {0}
        kill {0}
        rm -f {0}
        rm {0}
        restart -t 0 {0}
        start {0}
        pause {0}
        unpause {0}
        exec {0} true
        ps -a
        inspect {0}
        rename {0} {0}x
        update --pids-limit 90 {0}
        logs {0}
        top {0}
        stats --no-stream {0}
        run --rm --net=none --name {0} busybox true
        run -d --net=none --name {0} busybox sleep 1000
        container prune -f
        diff {0}
        cp {0}:/etc/group -
    """.strip().splitlines()
]


def test_everything_on_everything(host: Host) -> None:
    names = ["a", "b", "c"]
    for turn in range(times(1, 30)):
        for name in names:
            host.pyctr("run", "-d", "--net=none", "--name", name, *SLEEP)
        random.seed(turn)
        commands = [[word.format(random.choice(names)) for word in random.choice(VERBS)] for _ in range(24)]
        for one in at_once(host, commands):
            assert one.returncode in (0, 1, 125, 126, 137, 143), (one.args, one.returncode, one.stderr)
            if one.returncode in (1, 125, 126):
                assert one.stderr.strip(), one.args
                assert b"OperationalError" not in one.stderr
        assert set(host.clean().values()) <= {"created", "running", "paused", "exited"}
        host.empty()


def test_removing_many_at_once(host: Host) -> None:
    ids = [host.pyctr.ok("run", "-d", "--net=none", *SLEEP).strip() for _ in range(times(3, 20))]
    done = at_once(host, [["rm", "-f", id] for id in ids for _ in range(4)])
    for one in done:
        assert (
            one.returncode == 0
            or b"no such container" in one.stderr.lower()
            or b"remov" in one.stderr.lower()
        ), one
    assert host.clean() == {}
