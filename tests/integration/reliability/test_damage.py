"""One damaged file is named, and everything beside it goes on working."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from typing import TYPE_CHECKING

import pytest

from pyctr import _core
from tests.integration.reliability.host import FULL, only_when_full, supervisor_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

SLEEP = ["busybox", "sleep", "1000"]
RUBBISH = {"empty": b"", "binary": b"\xff\xfe\n"}
if FULL:
    RUBBISH |= {"zeros": b"\0" * 4096, "cut": b"{", "other": b'{"a": 1}'}


def directory(host: Host, id: str) -> Path:
    return host.base / "root" / "containers" / id


def bundle(host: Host, id: str) -> Path:
    return host.base / "run" / "containers" / id


@pytest.mark.parametrize("content", RUBBISH.values(), ids=RUBBISH)
@pytest.mark.parametrize("name", ["config.json", "shim.json", "state.json", "shim.lock"])
def test_files_of_a_bundle(host: Host, name: str, content: bytes) -> None:
    only_when_full(bool(content) == (name in ("shim.json", "shim.lock")))
    damaged = host.pyctr.ok("run", "-d", "--net=none", "--name", "damaged", *SLEEP).strip()
    sound = host.pyctr.ok("run", "-d", "--net=none", "--name", "sound", *SLEEP).strip()
    (bundle(host, damaged) / name).write_bytes(content)
    assert host.rows() == {damaged: "running", sound: "running"}
    for command in (
        ["exec", "damaged", "true"],
        ["inspect", "damaged"],
        ["logs", "damaged"],
        ["top", "damaged"],
    ):
        done = host.pyctr(*command)
        assert b"Traceback" not in done.stderr, done.stderr.decode()
    assert host.pyctr("exec", "sound", "true").returncode == 0
    host.pyctr.ok("rm", "-f", "damaged")
    assert host.clean() == {sound: "running"}


@pytest.mark.parametrize("content", RUBBISH.values(), ids=RUBBISH)
def test_files_that_stay(host: Host, content: bytes) -> None:
    done = host.pyctr("run", "--net=none", "--name", "box", "busybox", "sh", "-c", "echo hello; exit 4")
    assert done.returncode == 4
    id = host.pyctr.ok("ps", "-aq", "--no-trunc").strip()
    for file in directory(host, id).iterdir():
        if file.is_file():
            file.write_bytes(content)
    (host.base / "root" / "events.json").write_bytes(content)
    assert host.rows() == {id: "exited"}
    for command in (
        ["logs", "box"],
        ["inspect", "box"],
        ["events", "--since", "1", "--until", "2"],
        ["diff", "box"],
    ):
        done = host.pyctr(*command)
        assert b"Traceback" not in done.stderr, (command, done.stderr.decode())
    host.pyctr.ok("start", "box")
    assert host.pyctr.ok("wait", "box") == "4\n"
    host.pyctr.ok("rm", "box")


def test_missing_directories(host: Host) -> None:
    id = host.pyctr.ok("run", "-d", "--net=none", "--name", "box", *SLEEP).strip()
    gone = host.pyctr.ok("create", "--net=none", "--name", "gone", *SLEEP).strip()
    os.rename(directory(host, gone), host.base / "elsewhere")
    for name in ("trash", "tmp"):
        os.rmdir(host.base / "root" / name)
    assert host.rows() == {id: "running", gone: "created"}
    host.pyctr.ok("rm", "-f", "box", "gone")
    assert host.pyctr.ok("run", "--rm", "--net=none", "busybox", "echo", "sound") == "sound\n"


def test_a_reboot(host: Host) -> None:
    """The boot's name in the row is not this boot's, and what lives in memory is gone."""
    kept = host.pyctr.ok("run", "-d", "--net=none", "--name", "kept", *SLEEP).strip()
    passing = host.pyctr.ok("run", "-d", "--rm", "--net=none", "-v", "/anonymous", *SLEEP).strip()
    for id in (kept, passing):
        os.kill(supervisor_of(host.base, id), signal.SIGKILL)
    host.settle()
    with sqlite3.connect(host.base / "root" / "meta.db") as db:
        db.execute("UPDATE containers SET boot = 'another'")
    for id in (kept, passing):
        _core.cgroup_remove(f"/pyctr/{id}")
    shutil.rmtree(host.base / "run")
    assert host.clean() == {kept: "exited"}
    assert host.pyctr.ok("inspect", "-f", "{{.State.ExitCode}} {{.State.Error}}", "kept") == "255 \n"
    assert host.pyctr.ok("volume", "ls", "-q") == ""
    host.pyctr.ok("start", "kept")
    assert host.clean() == {kept: "running"}
