"""The command line on a store of its own, with an image of a static busybox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

BUSYBOX = shutil.which("busybox")
FILES = {"etc/passwd": "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/sh\n", "etc/group": "root:x:0:\n"}
COMMANDS = "cat echo env false find hostname id kill ls mkdir mount ps pwd sh sleep stty tail touch true tty"
PROGRAM = [sys.executable, "-c", "from pyctr.cli import main; main()"]


class Pyctr:
    """Runs the command line in processes of its own."""

    def __init__(self, directory: Path) -> None:
        self.roots = ["--root", str(directory / "root"), "--run-root", str(directory / "run")]
        self.environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def argv(self, *argv: str) -> list[str]:
        return [*PROGRAM, *self.roots, *argv]

    def __call__(
        self, *argv: str, stdin: bytes | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.argv(*argv),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            check=False,
            timeout=100,
            cwd=cwd,
            env=self.environ,
        )

    def ok(self, *argv: str, stdin: bytes | None = None) -> str:
        """Run what must succeed; what it printed."""
        done = self(*argv, stdin=stdin)
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout.decode()

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(self.argv(*argv), stdin=pipe, stdout=pipe, stderr=pipe, env=self.environ)


def busybox_archive() -> bytes:
    """Return a root file system of busybox under its commonest names."""
    assert BUSYBOX is not None
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(Path(BUSYBOX).resolve(), "bin/busybox")
        for name in COMMANDS.split():
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for path, text in FILES.items():
            file = tarfile.TarInfo(path)
            file.size = len(text)
            tar.addfile(file, BytesIO(text.encode()))
        for path in ("tmp", "root", "proc", "dev"):
            folder = tarfile.TarInfo(path)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if path == "tmp" else 0o755
            tar.addfile(folder)
    return out.getvalue()


@pytest.fixture(scope="session")
def archive() -> bytes:
    if BUSYBOX is None:
        pytest.skip("busybox-static is not installed")
    return busybox_archive()


@pytest.fixture
def pyctr(tmp_path: Path, archive: bytes) -> Iterator[Pyctr]:
    """A command line with the image ``busybox``; nothing may be left of its containers."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    pyctr = Pyctr(tmp_path)
    pyctr.ok("import", "-", "busybox", stdin=archive)
    yield pyctr
    left = pyctr.ok("ps", "-aq").split()
    ids = pyctr.ok("ps", "-aq", "--no-trunc").split()
    if left:
        pyctr.ok("rm", "-fv", *left)
    assert list((tmp_path / "run" / "containers").iterdir()) == []
    for hierarchy in Path("/sys/fs/cgroup").iterdir():
        for id in ids:
            assert not (hierarchy / "pyctr" / id).exists()
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()
