"""The OCI command line, called as an engine calls it, and bundles to call it on."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from pyctr import oci

#: PYCTR_OCI names another build to test.
BINARY = os.environ.get("PYCTR_OCI", oci.BINARY)
HIERARCHIES = Path("/sys/fs/cgroup")
BUSYBOX = "/bin/busybox"
APPLETS = """
    cat chmod cut date echo env false head hostname id ionice kill ln ls mkdir mount nice nproc ps pwd
    readlink rm sh sleep stat stty sysctl tail test touch tr true tty uname wc
"""
NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")
_count = itertools.count()


def document(*args: str) -> dict[str, Any]:
    """A config.json that asks for little: root without capabilities, in namespaces with /proc and /dev."""
    nosuid = ["nosuid", "noexec"]
    return {
        "ociVersion": "1.2.0",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": list(args),
            "env": ["PATH=/bin", "TERM=xterm"],
            "cwd": "/",
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs"},
        "hostname": "box",
        "mounts": [
            {
                "destination": "/proc",
                "type": "proc",
                "source": "proc",
                "options": ["nosuid", "noexec", "nodev"],
            },
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            {
                "destination": "/dev/pts",
                "type": "devpts",
                "source": "devpts",
                "options": [*nosuid, "newinstance", "ptmxmode=0666", "mode=0620"],
            },
        ],
        "linux": {"namespaces": [{"type": kind} for kind in NAMESPACES]},
    }


class Bundle:
    """A directory with a root file system of busybox and a document to change."""

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self.path = path
        self.document = document
        self.rootfs = path / "rootfs"
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            (self.rootfs / name).mkdir(parents=True)
        shutil.copy(BUSYBOX, self.rootfs / "bin/busybox")
        for name in APPLETS.split():
            (self.rootfs / "bin" / name).symlink_to("busybox")
        (self.rootfs / "etc/passwd").write_text(
            "root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000::/home/joe:/bin/sh\n"
        )

    def set(self, field: str, value: Any) -> Bundle:
        """Set a field of the document, given as dotted path."""
        at = self.document
        *above, last = field.split(".")
        for name in above:
            at = at.setdefault(name, {})
        at[last] = value
        return self

    def write(self, name: str = "config.json") -> str:
        """Write the document; gives the directory, for --bundle."""
        (self.path / name).write_text(json.dumps(self.document))
        return str(self.path)


class Runtime:
    """The command line with a state directory of its own, and a look at what it leaves behind."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.state = base / "state"
        # In the name of every container and cgroup, so that what is left of them is known as ours.
        self.mark = f"oci-{os.getpid()}-{next(_count)}"

    def name(self, suffix: str = "box") -> str:
        """A container's id."""
        return f"{self.mark}-{suffix}"

    def bundle(self, *args: str) -> Bundle:
        """A bundle whose program is given; `sh -c` runs a single word with blanks in it."""
        words = ("sh", "-c", *args) if len(args) == 1 and " " in args[0] else args
        return Bundle(self.base / f"bundle{next(_count)}", document(*words))

    def command(self, *words: str) -> list[str]:
        """The words of a command line."""
        return [BINARY, "--root", str(self.state), *words]

    def call(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it."""
        defaults: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        return subprocess.run(self.command(*words), check=False, timeout=60, **(defaults | options))

    def __call__(self, *words: str, **options: Any) -> str:
        """Run a command that succeeds; gives its output."""
        done = self.call(*words, **options)
        assert done.returncode == 0, f"{words}: {done.returncode}: {done.stderr}"
        return str(done.stdout)

    def refuse(self, *words: str, status: int = 1, **options: Any) -> str:
        """Run a command that fails with one line and no output; gives the line without the program's name."""
        done = self.call(*words, **options)
        assert (done.returncode, done.stdout) == (status, ""), (done, words)
        lines = done.stderr.splitlines()
        assert len(lines) == 1, lines
        return str(lines[0].removeprefix("pyctr-oci: "))

    def run(self, bundle: Bundle, *options: str, name: str = "box", **more: Any) -> str:
        """Run a bundle in the foreground; gives its output."""
        return self("run", "--bundle", bundle.write(), *options, self.name(name), **more)

    def start(self, bundle: Bundle, *options: str, name: str = "box") -> str:
        """Run a bundle in the background, away from our own pipes; gives its id."""
        streams = {"capture_output": False, "stdout": subprocess.DEVNULL}
        self("run", "--detach", "--bundle", bundle.write(), *options, self.name(name), **streams)
        return self.name(name)

    def inspect(self, name: str) -> dict[str, Any]:
        """The state of a container."""
        found = json.loads(self("state", name))
        assert isinstance(found, dict)
        return found

    def status(self, name: str) -> str:
        """The status of a container."""
        return str(self.inspect(name)["status"])

    def wait(self, name: str, status: str = "stopped") -> None:
        """Wait for a status."""
        until(lambda: self.status(name) == status, f"{name} to be {status}")

    def cgroups(self, path: str) -> list[Path]:
        """The directories of a cgroup in every hierarchy."""
        return [found for found in (HIERARCHIES / path, *HIERARCHIES.glob(f"*/{path}")) if found.is_dir()]

    def leftovers(self) -> list[str]:
        """What is left on the host of containers of ours."""
        found = [f"state {path}" for path in (self.state.iterdir() if self.state.is_dir() else ())]
        found += [f"cgroup {path}" for path, _, _ in os.walk(HIERARCHIES) if self.mark in path]
        # A process without a command line is one that has died, and whose parent takes its time.
        processes = [path for path in Path("/proc").glob("[0-9]*") if _read(path / "cmdline")]
        found += [f"process {path}" for path in processes if self.mark in _read(path / "cgroup")]
        mounts = _read(Path("/proc/self/mountinfo")).splitlines()
        return found + [f"mount {line}" for line in mounts if str(self.base) in line]

    def clean(self) -> None:
        """Delete every container, and see that nothing is left."""
        for name in self("list", "--quiet").split():
            self("delete", "--force", name)
        until(lambda: self.leftovers() == [], lambda: f"nothing to be left, but there is {self.leftovers()}")


def until(holds: Any, what: Any, seconds: float = 15) -> None:
    """Wait until `holds()`; `what` says for what, as text or by a call."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited for {what() if callable(what) else what}"
        time.sleep(0.01)


def _read(path: Path) -> str:
    try:
        # Others on the machine may call themselves what they like.
        return path.read_text(errors="replace")
    except OSError:
        return ""
