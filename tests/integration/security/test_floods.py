"""Containers that want all there is, or do not want to end: the engine stays in control and ends them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import pyctr
from pyctr.api import Container
from tests.integration.security.conftest import PYTHON

pytestmark = pytest.mark.root
PRIVILEGED = {"Privileged": True}
FREEZER = Path("/sys/fs/cgroup/freezer")
needs_freezer = pytest.mark.skipif(not FREEZER.is_dir(), reason="needs the freezer of cgroup version 1")


def until_said(container: Container, word: bytes) -> None:
    deadline = time.monotonic() + 30
    while word not in container.logs():
        assert time.monotonic() < deadline, container.logs()
        time.sleep(0.01)


def start(engine: pyctr.Engine, script: str, **options: object) -> Container:
    """Run a script that says ``ready``, or more, once it is in full swing."""
    container = engine.containers.run("host", [PYTHON, "-uc", script], **options)  # type: ignore[arg-type]
    until_said(container, b"y")
    return container


FLOODS = {
    "processes": ("import os\nfor i in range(99):\n try: os.fork()\n except OSError: print('ready')\n"
                  "while True:\n try: os.fork()\n except OSError: pass", {"PidsLimit": 60}),
    "zombies": ("import os, time\nfor i in range(99):\n try:\n  if os.fork() == 0: os._exit(0)\n"
                " except OSError: break\nprint('ready'); time.sleep(1000)", {"PidsLimit": 80}),
    "descriptors": ("import os, time\ntry:\n while True: os.dup(0)\nexcept OSError: print('ready')\n"
                    "time.sleep(1000)", {}),
    "output": ("print('ready')\nwhile True: print('y' * 4000)", {"LogConfig": {
        "Type": "json-file", "Config": {"max-size": "100k", "max-file": "2"}}}),
    "inodes": ("import os, time\ntry:\n for i in range(1 << 20): open(f'/t/{i}', 'x').close()\n"
               "except OSError: print('ready')\ntime.sleep(1000)", {"Tmpfs": {"/t": "nr_inodes=500"}}),
    "signals": ("import signal, time\nfor n in range(1, 32):\n"
                " if n not in (9, 19): signal.signal(n, signal.SIG_IGN)\n"
                "print('ready')\ntime.sleep(1000)", {}),
}  # fmt: skip


@pytest.mark.parametrize("flood", FLOODS)
def test_floods(engine: pyctr.Engine, flood: str) -> None:
    script, limits = FLOODS[flood]
    container = start(engine, script, host_config=limits)
    assert [found.id for found in engine.containers.list()] == [container.id]
    assert container.stats()["pids_stats"]["current"] >= 1
    assert container.attrs["State"]["Running"]
    if flood == "output":
        log = Path(container.attrs["LogPath"])
        assert sum(path.stat().st_size for path in log.parent.iterdir()) < 400_000
    if flood in ("processes", "signals"):
        container.stop(timeout=0)
        assert container.attrs["State"]["ExitCode"] == 137
    container.remove(force=True)
    assert engine.containers.list(all=True) == []


def test_an_exec_flood(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", ["sleep", "1000"], host_config={"PidsLimit": 20})
    refused = 0
    for _ in range(30):
        try:
            done = container.exec(["sh", "-c", "sleep 1000 >/dev/null 2>&1 & sleep 0"])
            refused += done.exit_code != 0
        except pyctr.errors.PyctrError:
            refused += 1
    assert refused >= 10
    assert container.attrs["State"]["Running"]
    container.remove(force=True)


FREEZE = """
import os, subprocess
top = "/sys/fs/cgroup/freezer"
os.makedirs(top + "/a/b")
print("ready")
if {inner}:
    open(top + "/a/freezer.state", "w").write("FROZEN")
    open(top + "/a/b/freezer.state", "w").write("FROZEN")
    open(top + "/a/b/cgroup.procs", "w").write(str(os.getpid()))
else:
    open(top + "/freezer.state", "w").write("FROZEN")
"""


@needs_freezer
@pytest.mark.parametrize("inner", [True, False])
def test_a_container_that_freezes_itself(engine: pyctr.Engine, inner: bool) -> None:
    """The first attempt ends it: not the last resort after ten seconds."""
    container = start(engine, FREEZE.format(inner=inner), host_config=PRIVILEGED)
    parent = FREEZER / "pyctr" / container.id
    while "FROZEN" not in ((parent / "a" if inner else parent) / "freezer.state").read_text():
        time.sleep(0.01)
    container.kill()
    assert container.wait() == 137
    container.remove()
    assert not parent.exists()


NEST = """
import os, time
os.chdir("/sys/fs/cgroup/freezer")
for _ in range(40):
    os.mkdir("d" * 200); os.chdir("d" * 200)
open("cgroup.procs", "w").write(str(os.getpid()))
print("ready")
open("freezer.state", "w").write("FROZEN")
"""


@needs_freezer
def test_cgroups_deeper_than_a_path(engine: pyctr.Engine) -> None:
    container = start(engine, NEST, host_config=PRIVILEGED)
    container.remove(force=True)
    assert not list(Path("/sys/fs/cgroup").glob(f"*/pyctr/{container.id}"))


TRACE = """
import ctypes, time
assert ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0
time.sleep(1000)
"""


def test_the_first_process_under_attack_from_inside(engine: pyctr.Engine) -> None:
    """Killed, stopped and traced by others of the container: it stays, and ends when we say so."""
    container = engine.containers.run("host", ["sleep", "1000"], host_config={"CapAdd": ["SYS_PTRACE"]})
    for signal in ("KILL", "STOP", "TERM"):
        container.exec(["kill", f"-{signal}", "1"])
    container.exec(["sh", "-c", f"{PYTHON} -c '{TRACE}' >/dev/null 2>&1 &"])
    status = Path(f"/proc/{container.attrs['State']['Pid']}/status")
    deadline = time.monotonic() + 30
    while "TracerPid:\t0" in status.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    container.stop(timeout=0)
    assert container.attrs["State"]["ExitCode"] == 137
    assert not os.path.exists(status.parent) or "Z" in status.read_text()
