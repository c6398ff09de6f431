"""QEMU, and the helper that lets the machine read this machine's files."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.vm import initramfs, kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = "2G"
# Debian 12 has it in qemu-system-common, later releases in a package of its own.
VIRTIOFSD = (Path("/usr/lib/qemu/virtiofsd"), Path("/usr/libexec/virtiofsd"))
_END = re.compile(r"^pyctr-vm: status (\d+)\s*$")


class MachineFailure(Exception):
    """The machine did not get as far as the end of the command."""


def missing() -> str:
    """Say what this machine lacks to run the tests; empty if nothing."""
    if os.geteuid() != 0:
        return "not root"
    needed = {"qemu-system-x86": "/usr/bin/qemu-system-x86_64", "busybox-static": str(initramfs.BUSYBOX)}
    absent = [package for package, program in needed.items() if not Path(program).exists()]
    if not any(path.exists() for path in VIRTIOFSD):
        absent.append("virtiofsd")
    return f"not installed: {', '.join(absent)}" if absent else ""


def run(command: list[str], *, cwd: Path, timeout: float = 240) -> int:
    """Boot, run the command as root in `cwd` with our environment, print what it prints, give its status."""
    found = kernel.fetch()
    with tempfile.TemporaryDirectory(prefix="pyctr-vm-") as name:
        work = Path(name)
        (work / "initramfs").write_bytes(initramfs.build(found.modules))
        script = _script(work, command, cwd)
        with _files(work) as socket:
            return _boot(_qemu(found.image, work / "initramfs", socket, script), timeout)


def _script(work: Path, command: list[str], cwd: Path) -> Path:
    """The machine sees our files, so a script tells it what to do."""
    kept = ("HOME", "PATH", "PYTHONPATH", "RUST_BACKTRACE", "VIRTUAL_ENV")
    lines = ["#!/bin/sh"]
    lines += [f"export {name}={shlex.quote(os.environ[name])}" for name in kept if name in os.environ]
    # Reading the caches of this machine is fine, writing them costs memory there.
    lines += [
        "export PYTHONDONTWRITEBYTECODE=1",
        f"cd {shlex.quote(str(cwd))}",
        f"exec {shlex.join(command)}",
    ]
    script = work / "command"
    script.write_text("\n".join(lines) + "\n")
    script.chmod(0o755)
    work.chmod(0o755)
    return script


@contextlib.contextmanager
def _files(work: Path) -> Iterator[Path]:
    """Serve the whole file system, which the machine mounts read-only."""
    program = next(path for path in VIRTIOFSD if path.exists())
    socket = work / "files.sock"
    if program.parent.name == "qemu":
        options = ["-o", "source=/,sandbox=chroot,cache=always,xattr", "--rlimit-nofile=0"]
    else:
        options = ["--shared-dir=/", "--sandbox=chroot", "--cache=always", "--xattr", "--rlimit-nofile=0"]
    with (work / "virtiofsd.log").open("w") as log:
        server = subprocess.Popen(
            [program, f"--socket-path={socket}", *options], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        try:
            _wait_for(socket, server, work / "virtiofsd.log")
            yield socket
        finally:
            server.terminate()
            server.wait()


def _wait_for(socket: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while not socket.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            msg = f"the file server did not start: {log.read_text().strip()}"
            raise MachineFailure(msg)
        time.sleep(0.01)


def _qemu(image: Path, initrd: Path, socket: Path, script: Path) -> list[str]:
    line = f"console=ttyS0 loglevel=1 cgroup_no_v1=all panic=-1 mitigations=off pyctr.command={script}"
    devices = "-chardev socket,id=files,path={} -device vhost-user-fs-pci,chardev=files,tag=host"
    return [
        "qemu-system-x86_64",
        # Emulation is slower than KVM, but the same everywhere.
        *shlex.split("-accel tcg,thread=multi -cpu max -smp 2"),
        *shlex.split(f"-m {MEMORY} -object memory-backend-memfd,id=memory,size={MEMORY},share=on"),
        *shlex.split("-machine q35,memory-backend=memory"),
        *shlex.split(devices.format(socket)),
        *shlex.split("-nodefaults -display none -serial stdio -monitor none -no-reboot"),
        *("-kernel", str(image), "-initrd", str(initrd), "-append", line),
    ]


def _boot(command: list[str], timeout: float) -> int:
    deadline = time.monotonic() + timeout
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as machine:
        try:
            return _follow(machine, deadline)
        finally:
            machine.kill()


def _follow(machine: subprocess.Popen[bytes], deadline: float) -> int:
    """Print the console until the line with the status comes."""
    assert machine.stdout is not None
    os.set_blocking(machine.stdout.fileno(), False)
    rest = b""
    while time.monotonic() < deadline:
        try:
            data = os.read(machine.stdout.fileno(), 65536)
        except BlockingIOError:
            time.sleep(0.02)
            continue
        if not data:
            msg = "the machine ended before the command did"
            raise MachineFailure(msg)
        *lines, rest = (rest + data).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            if end := _END.match(text):
                return int(end[1])
            print(text, file=sys.stdout, flush=True)
    msg = "the machine took too long"
    raise MachineFailure(msg)
