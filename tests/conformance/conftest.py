"""Debian's podman with our binary as its runtime, in a store of each test module's own."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyctr import oci

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HIERARCHIES = Path("/sys/fs/cgroup")
BUSYBOX = Path("/bin/busybox")
NEEDED = ("podman", "conmon")
_count = itertools.count()


class Podman:
    """podman's command line; every container is in a cgroup by which it is known as ours."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.parent = f"pyctr-podman-{os.getpid()}"
        self.words = ["podman", "--runtime", os.environ.get("PYCTR_OCI", oci.BINARY)]
        for option, name in (("root", "root"), ("runroot", "run"), ("tmpdir", "tmp")):
            self.words += [f"--{option}", str(base / name)]
        self.words += ["--cgroup-manager", "cgroupfs", "--storage-driver", "vfs", "--events-backend", "none"]

    def call(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it."""
        defaults: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        # conmon leaves a file called oom where it is called.
        defaults["cwd"] = self.base
        return subprocess.run([*self.words, *words], check=False, timeout=60, **(defaults | options))

    def __call__(self, *words: str, **options: Any) -> str:
        """Run a command that succeeds; gives its output."""
        done = self.call(*words, **options)
        assert done.returncode == 0, f"{words}: {done.returncode}: {done.stderr}"
        return str(done.stdout).strip()

    def options(self) -> list[str]:
        """What every container is made with."""
        return ["--network", "none", "--cgroup-parent", f"/{self.parent}"]

    def run(self, *words: str, **options: Any) -> str:
        """Run a container to its end; gives its output."""
        return self("run", "--rm", *self.options(), *words, **options)

    def start(self, *words: str) -> str:
        """Start a container in the background; gives its name, which no other has."""
        name = f"c{next(_count)}"
        self("run", "--detach", "--name", name, *self.options(), *words)
        return name

    def inspect(self, name: str, field: str) -> str:
        """A field of what podman knows of a container."""
        return self("inspect", "--format", f"{{{{.{field}}}}}", name)

    def wait(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""
        end = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < end, f"waited for {what}"
            time.sleep(0.02)

    def remove_all(self) -> None:
        """Remove every container; podman may find a mount of one busy that has just ended."""
        words = ("rm", "--all", "--force", "--time", "0")
        self.wait(lambda: self.call(*words).returncode == 0, "podman to remove its containers")

    def leftovers(self) -> list[str]:
        """What is left on the host of containers of ours."""
        # conmon's own group stays as long as its parent.
        found = [path for path, _, _ in os.walk(HIERARCHIES) if f"/{self.parent}/libpod-" in path]
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return found + [line for line in mounts if str(self.base) in line and "/vfs" not in line]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """A store with an image of busybox called `box`."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or not BUSYBOX.exists():
        pytest.skip(f"not installed: {', '.join(missing) or 'busybox-static'}")
    # Paths of sockets may not be long.
    base = tmp_path_factory.mktemp("p")
    podman = Podman(base)
    before = {*HIERARCHIES.iterdir()}
    _make_image(podman)
    yield podman
    podman.remove_all()
    podman("rmi", "--all", "--force")
    for mount in reversed(
        [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    ):
        if mount.startswith(f"{base}/"):
            subprocess.run(["umount", mount], check=True)
    # The last conmon ends a moment after its container.
    podman.wait(lambda: _remove_groups(podman, before), "the cgroups to be removed")
    shutil.rmtree(base)


@pytest.fixture
def podman(store: Podman) -> Iterator[Podman]:
    """The store, without containers before and afterwards."""
    yield store
    store.remove_all()
    store.wait(lambda: store.leftovers() == [], f"nothing to be left, but there is {store.leftovers()}")


def _make_image(podman: Podman) -> None:
    rootfs = podman.base / "rootfs"
    for name in ("bin", "etc", "tmp", "root"):
        (rootfs / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, rootfs / "bin/busybox")
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in set(applets) - {"busybox"}:
        (rootfs / "bin" / name).symlink_to("busybox")
    (rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\njoe:x:1000:1000::/tmp:/bin/sh\n")
    (rootfs / "etc/group").write_text("root:x:0:\njoe:x:1000:\n")
    archive = podman.base / "box.tar"
    subprocess.run(["tar", "-C", rootfs, "-cf", archive, "."], check=True)
    podman("import", "--quiet", str(archive), "box")
    shutil.rmtree(rootfs)


def _remove_groups(podman: Podman, before: set[Path]) -> bool:
    """Remove podman's cgroups, also those of hierarchies that there are not; tells whether it is done."""
    for path in {*HIERARCHIES.iterdir()} - before:
        shutil.rmtree(path, ignore_errors=True)
    ours = [path for path, _, _ in os.walk(HIERARCHIES) if f"/{podman.parent}" in path]
    for group in sorted(ours, reverse=True):
        # Where there is no hierarchy conmon has written an ordinary file.
        shutil.rmtree(group, ignore_errors=True)
    return {*HIERARCHIES.iterdir()} <= before and not any(os.path.exists(group) for group in ours)
