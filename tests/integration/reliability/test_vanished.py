"""A client whose supervisor vanishes without a word never reports a success, whoever else comes meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest

from pyctr import _core
from pyctr.store import owner
from tests.integration.reliability.host import only_when_full, supervisor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(120)]

SCRIPT = ["sh", "-c", "echo up; exec sleep 1000"]
RUN = ["run", "--net=none", "--name", "box"]


def run(host: Host) -> subprocess.Popen[bytes]:
    return host.pyctr.start(*RUN, "busybox", *SCRIPT)


def run_rm(host: Host) -> subprocess.Popen[bytes]:
    return host.pyctr.start(*RUN, "--rm", "busybox", *SCRIPT)


def start(host: Host) -> subprocess.Popen[bytes]:
    host.pyctr.ok("create", *RUN[1:], "busybox", *SCRIPT)
    return host.pyctr.start("start", "-a", "box")


def attach(host: Host) -> subprocess.Popen[bytes]:
    script = "while :; do echo up; sleep 0.1; done"
    host.pyctr.ok(*RUN, "-d", "busybox", "sh", "-c", script)
    return host.pyctr.start("attach", "box")


def exec_(host: Host) -> subprocess.Popen[bytes]:
    host.pyctr.ok(*RUN, "-d", "busybox", "sleep", "1000")
    return host.pyctr.start("exec", "box", *SCRIPT)


CLIENTS = {"run": run, "run --rm": run_rm, "start -a": start, "attach": attach, "exec": exec_}


@contextlib.contextmanager
def at_work(host: Host, id: str) -> Iterator[None]:
    """Somebody holds the container's lock."""
    fd = os.open(host.base / "root" / "containers" / id, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    yield
    os.close(fd)


@contextlib.contextmanager
def removing(host: Host, id: str) -> Iterator[None]:
    """Somebody who lives is removing it."""
    write(host, "UPDATE containers SET state = 'removing', owner = ?", owner.me())
    yield
    write(host, "UPDATE containers SET owner = '1:1'")


@contextlib.contextmanager
def collected(host: Host, id: str) -> Iterator[None]:
    """Somebody was here first."""
    host.rows()
    yield


@contextlib.contextmanager
def started_again(host: Host, id: str) -> Iterator[None]:
    host.pyctr("start", "box")
    yield


@contextlib.contextmanager
def succeeded(host: Host, id: str) -> Iterator[None]:
    """The supervisor had written down that all was well, and said nothing."""
    record = '{"exit_code":0,"oom_killed":false,"pid":1,"started_at":"","finished_at":"","error":""}'
    for home in ("run", "root"):
        (host.base / home / "containers" / id / "exit.json").write_text(record)
    yield


MEANWHILE = [at_work, removing, collected, started_again, succeeded]


def write(host: Host, sql: str, *values: str) -> None:
    with contextlib.closing(sqlite3.connect(host.base / "root" / "meta.db")) as db, db:
        db.execute(sql, values)


@pytest.mark.parametrize("meanwhile", MEANWHILE, ids=lambda function: function.__name__)
@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_no_success(
    host: Host,
    client: Callable[[Host], subprocess.Popen[bytes]],
    meanwhile: Callable[[Host, str], contextlib.AbstractContextManager[None]],
) -> None:
    # One that was started again is looked at for five seconds.
    only_when_full(
        meanwhile is at_work or (client is run_rm) != (meanwhile is started_again and client is exec_)
    )
    process = client(host)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    ((id, _),) = host.rows().items()
    process.send_signal(signal.SIGSTOP)
    lock = host.base / "run" / "containers" / id / "shim.lock"
    os.kill(supervisor_of(host.base, id), signal.SIGKILL)
    assert _core.wait_lock(str(lock), 20)
    with meanwhile(host, id):
        process.send_signal(signal.SIGCONT)
        _, errors = process.communicate(timeout=60)
    assert b"Traceback" not in errors
    assert process.returncode != 0
    if client is not exec_:
        explained = meanwhile is succeeded and b"before it said so" in errors
        assert process.returncode == 137 or explained, errors


@pytest.mark.parametrize("remove", [(), ("--rm",)], ids=["kept", "--rm"])
def test_waiting(host: Host, remove: tuple[str, ...]) -> None:
    """``wait`` that finds somebody else at work on the container does not take its row at its word."""
    id = host.pyctr.ok(*RUN, "-d", *remove, "busybox", "sleep", "1000").strip()
    with at_work(host, id):
        waiter = host.pyctr.start("wait", "box")
        os.kill(supervisor_of(host.base, id), signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            waiter.communicate(timeout=0.3)
    out, errors = waiter.communicate(timeout=60)
    told = (waiter.returncode, out)
    assert told == (0, b"137\n") or (told == (1, b"") and b"no such container" in errors), (told, errors)
