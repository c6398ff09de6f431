"""SIGKILL, or an error, at every system call that changes something, here and in the supervisor."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

import pyctr
from pyctr import _core
from pyctr.errors import PyctrError
from tests.integration.reliability.host import FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.integration.reliability.host import Host

pytestmark = [
    pytest.mark.root,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed"),
]

CHANGES = (
    "mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,openat,write,pwrite64,ftruncate,fallocate,symlinkat,linkat,"
    "chmod,fchmod,fchmodat,chown,fchown,fchownat,mknodat,flock,socketpair,bind,listen,connect,sendmsg,sendto,vfork,clone,clone3,"
    "execve,execveat,wait4,mount,umount2,move_mount,open_tree,fsopen,fsconfig,fsmount,mount_setattr,pivot_root,setns,unshare,"
    "fsync,fdatasync,close,dup2,dup3,kill,pidfd_send_signal"
)
ERRORS = ("ENOSPC", "EIO", "EMFILE", "EAGAIN")
NEVER_FAIL = {"close", "wait4", "kill"}
"""Not failed: an injected error keeps the call from happening, and no kernel leaves open what was closed."""

CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(", re.MULTILINE)
EVERY = 1 if FULL else 97
"""Try one call in so many; a prime, so that the same calls are not always left out together."""


def calls_of(trace: Path) -> list[tuple[str, int]]:
    """Every call of a trace as strace counts it: (name, how manieth of that name)."""
    counts: Counter[str] = Counter()
    found = []
    for name in CALL.findall(trace.read_text(errors="replace")):
        counts[name] += 1
        found.append((name, counts[name]))
    return found


def strace(trace: Path, call: tuple[str, int] | None, effect: str = "") -> list[str]:
    options = ["strace", "-qq", "-o", str(trace), "-e", f"trace={CHANGES}", "-e", "signal=none"]
    if call:
        options += ["-e", f"inject={call[0]}:{effect}:when={call[1]}"]
    return options


def sample(calls: Sequence[tuple[str, int]], effect: str) -> list[tuple[str, int]]:
    """Those to try the effect on."""
    return [call for call in calls if "KILL" in effect or call[0] not in NEVER_FAIL][::EVERY]


COMMANDS = {
    "run": ["run", "--rm", "--net=none", "-v", "/anonymous", "busybox", "true"],
    "run -d": ["run", "-d", "--net=none", "busybox", "sleep", "1000"],
    "rm -f": ["rm", "-f", "box"],
    "import": ["import", "{archive}", "again"],
}


@pytest.mark.parametrize("effect", ["signal=KILL", *(f"error={name}" for name in ERRORS)])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line(host: Host, tmp_path: Path, archive: bytes, command: str, effect: str) -> None:
    if not FULL and effect not in ("signal=KILL", "error=ENOSPC"):
        pytest.skip("takes long: set PYCTR_TEST_FULL=1")
    file, trace = tmp_path / "rootfs.tar", tmp_path / "trace"
    file.write_bytes(archive)
    argv = [word.format(archive=file) for word in COMMANDS[command]]

    def attempt(call: tuple[str, int] | None) -> subprocess.CompletedProcess[bytes]:
        if "box" in argv:
            host.pyctr.ok("run", "-d", "--name", "box", "--net=none", "busybox", "sleep", "1000")
        arguments = [*strace(trace, call, effect), *host.pyctr.argv(*argv)]
        return subprocess.run(arguments, capture_output=True, check=False, env=host.pyctr.environ, timeout=60)

    attempt(None)
    assert attempt(None).returncode == 0
    calls = calls_of(trace)
    host.empty()
    start = next(i for i, (name, _) in enumerate(calls) if name in ("flock", "mkdir", "pwrite64"))
    for call in sample(calls[max(start - 20, 0) :], effect):
        done = attempt(call)
        if "sleep" not in argv and "box" not in argv:
            host.settle()
        assert b"Traceback" not in done.stderr, (call, done.stderr.decode())
        try:
            host.clean()
        except AssertionError as error:
            raise AssertionError(f"{effect} at {call}: {error}") from None
        host.empty()


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[str]], None]]:
    """Have supervisors of this process's engines start under strace."""
    options: list[str] = []
    children: list[subprocess.Popen[bytes]] = []

    def spawn(binary: str, arguments: list[str], descriptors: list[tuple[int, int]]) -> None:
        ((ours, theirs),) = descriptors
        command = ["bash", "-c", f'exec "$@" {theirs}<&{ours}', "bash", *options, binary, *arguments]
        children.append(subprocess.Popen(command, pass_fds=[ours], start_new_session=True))

    def use(with_options: list[str]) -> None:
        for child in children:
            child.wait(30)
        children.clear()
        options[:] = with_options

    monkeypatch.setattr(_core, "spawn_shim", spawn)
    yield use
    use([])


@pytest.mark.parametrize("followed", [False, True], ids=["itself", "and its children"])
@pytest.mark.parametrize("effect", ["signal=KILL", *(f"error={name}" for name in ERRORS)])
def test_the_supervisor(
    host: Host, tmp_path: Path, traced: Callable[[list[str]], None], effect: str, followed: bool
) -> None:
    if not FULL and (effect not in ("signal=KILL", "error=EIO") or followed):
        pytest.skip("takes long: set PYCTR_TEST_FULL=1")
    trace = tmp_path / "trace"
    engine = pyctr.Engine(str(tmp_path / "root"), str(tmp_path / "run"))

    def attempt(call: tuple[str, int] | None) -> int:
        traced([*strace(trace, call, effect), *(["-f"] if followed else [])])
        try:
            return engine.run(
                "busybox", ["sh", "-c", "echo out; exit 3"], network="none", volumes=["/anonymous"]
            ).exit_code
        except PyctrError as error:
            return error.exit_code

    assert attempt(None) == 3
    traced([])
    calls = calls_of(trace)
    for call in sample(calls, effect):
        code = attempt(call)
        traced([])
        try:
            rows = host.clean()
        except AssertionError as error:
            raise AssertionError(f"{effect} at {call}, exit code {code}: {error}") from None
        assert rows == {}, (call, code, rows)
    engine.close()
