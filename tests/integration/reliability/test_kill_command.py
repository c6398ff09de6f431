"""SIGKILL of the command line at any moment: one ``pyctr ps`` later the host is clean."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.reliability.host import kill_at, times

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(1200)]

RUN = ["run", "--net=none", "-v", "data:/data", "-v", "/anonymous"]
COMMANDS = {
    "run --rm": [*RUN, "--rm", "busybox", "true"],
    "run": [*RUN, "busybox", "true"],
    "run -d": [*RUN, "-d", "busybox", "sleep", "1000"],
    "create": ["create", "--net=none", "busybox", "true"],
}
STATES = {"created", "exited", "running"}


def kill_at_random(host: Host, argv: list[str], rounds: int, prepare: list[str] | None = None) -> None:
    """Kill a command again and again; after each death one look must leave the host clean."""
    if prepare:
        host.pyctr.ok(*prepare)
    before = time.monotonic()
    host.pyctr(*argv)
    lasts = time.monotonic() - before
    for _ in range(rounds):
        if prepare:
            host.pyctr("rm", "-f", "box")
            host.pyctr.ok(*prepare)
        kill_at(host.pyctr.start(*argv), random.uniform(0.3, 1.1) * lasts)
        if "sleep" not in argv and not prepare:
            host.settle()
        rows = host.clean()
        assert set(rows.values()) <= STATES, rows
        if len(rows) > 20:
            host.empty()


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_while_making_a_container(host: Host, command: str) -> None:
    kill_at_random(host, COMMANDS[command], times(2, 100))
    host.empty()
    assert host.pyctr.ok("volume", "ls", "-q").split() in ([], ["data"])


@pytest.mark.parametrize(
    "argv",
    [["rm", "-f", "box"], ["exec", "box", "true"], ["stop", "-t", "0", "box"], ["restart", "-t", "0", "box"]],
    ids=lambda argv: argv[0],
)
def test_killed_while_changing_one(host: Host, argv: list[str]) -> None:
    prepare = ["run", "-d", "--name", "box", "--net=none", "busybox", "sleep", "1000"]
    kill_at_random(host, argv, times(1, 100), prepare)


def test_killed_while_importing(host: Host, tmp_path: Path, archive: bytes) -> None:
    file = tmp_path / "rootfs.tar"
    file.write_bytes(archive)
    before = time.monotonic()
    host.pyctr.ok("import", str(file), "first")
    lasts = time.monotonic() - before
    for turn in range(times(2, 100)):
        kill_at(
            host.pyctr.start("import", "-c", f"ENV TURN={turn}", str(file), "again"),
            random.uniform(0.2, 1) * lasts,
        )
        host.clean()
        assert host.pyctr.ok("run", "--rm", "--net=none", "first", "echo", "sound") == "sound\n"
        listed = host.pyctr.ok("images", "--format", "{{.Repository}} {{.ID}}").splitlines()
        for image in {id for name, id in map(str.split, listed) if name != "host"}:
            assert host.pyctr.ok("run", "--rm", "--net=none", image, "cat", "/etc/group") == "root:x:0:\n"
