"""The engines pyctr is measured against, each set up in a directory of its own and taken down again."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CLONE_NEWNS = 0x00020000
MS_REC_PRIVATE = 0x4000 | 0x40000
MNT_DETACH = 2


@dataclass(frozen=True)
class Rival:
    """A docker-like command line: the words before its verb, and its environment."""

    command: list[str]
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str) -> str:
        """Run one command and return its output; a failure raises with what it printed."""
        done = subprocess.run(
            [*self.command, *words],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.command[0]} {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()


def pyctr(scratch: Path, archive: Path) -> Rival:
    """Pyctr itself, with a store below `scratch` that holds the image `busybox`."""
    env = {"PYCTR_ROOT": str(scratch / "root"), "PYCTR_RUN_ROOT": str(scratch / "run")}
    rival = Rival([shutil.which("pyctr") or "pyctr"], env)
    rival("import", str(archive), "busybox")
    return rival


@contextmanager
def podman(scratch: Path, archive: Path) -> Iterator[Rival]:
    """Debian's podman with runc, its store below `scratch`."""
    words = ["podman", "--root", str(scratch / "root"), "--runroot", str(scratch / "run")]
    # Podman asks for more open files than a machine without CAP_SYS_RESOURCE may give, and runc then refuses.
    settings = scratch / "containers.conf"
    settings.write_text('[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n')
    env = {"CONTAINERS_CONF": str(settings)}
    rival = Rival([*words, "--runtime", "runc", "--cgroup-manager", "cgroupfs"], env)
    try:
        rival("import", str(archive), "busybox")
        yield rival
    finally:
        # It mounts its store on itself, and leaves that.
        subprocess.run(["umount", "--quiet", scratch / "root/overlay"], check=False)


@contextmanager
def docker(scratch: Path, archive: Path) -> Iterator[Rival]:
    """Debian's dockerd without networks, its store below `scratch`."""
    socket = scratch / "docker.sock"
    words = [
        "dockerd",
        f"--host=unix://{socket}",
        f"--data-root={scratch}/root",
        f"--exec-root={scratch}/exec",
    ]
    words += [f"--pidfile={scratch}/pid", "--bridge=none", "--iptables=false", "--ip6tables=false"]
    with (scratch / "dockerd.log").open("wb") as log:
        daemon = subprocess.Popen(words, stdout=log, stderr=log)
    rival = Rival(["docker", "--host", f"unix://{socket}"])
    try:
        _until_answers(rival, daemon)
        rival("import", str(archive), "busybox")
        yield rival
    finally:
        daemon.terminate()
        daemon.wait()


def _until_answers(rival: Rival, daemon: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if daemon.poll() is not None:
            break
        try:
            rival("version")
        except RuntimeError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("dockerd does not answer")


def without_unified(work: Callable[[], T]) -> T:
    """Run `work` in a thread with a mount namespace of its own that lacks the hybrid v2 hierarchy.

    crun before 1.9 refuses hybrid cgroups; unsharing one thread (unshare(2)) lets it run without a wrapper
    process that would be measured too.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    answers: list[T] = []
    failures: list[BaseException] = []

    def body() -> None:
        try:
            if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_REC_PRIVATE, None):
                raise OSError(ctypes.get_errno(), "private mount namespace")
            if Path("/sys/fs/cgroup/unified/cgroup.procs").exists():
                libc.umount2(b"/sys/fs/cgroup/unified", MNT_DETACH)
            answers.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return answers[0]
