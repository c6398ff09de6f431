"""A look at the whole host: what the containers of one store left that no row of it accounts for."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.test_cli.conftest import Pyctr

if TYPE_CHECKING:
    import subprocess

HIERARCHIES = Path("/sys/fs/cgroup")
ID = re.compile(rb"\b[0-9a-f]{64}\b")
SETTLE_SECONDS = 20.0

FULL = os.environ.get("PYCTR_TEST_FULL", "") == "1"
"""Whether to run as often as the figures say (minutes), or as often as a test run has time for."""


def times(quick: int, full: int) -> int:
    """How often to do something."""
    return full if FULL else quick


def only_when_full(usual: bool) -> None:
    """Leave a combination that shows nothing of its own to the long runs."""
    if not (usual or FULL):
        pytest.skip("takes long: set PYCTR_TEST_FULL=1")


class Host:
    """The command line on a store of its own, and what of it can be seen from outside."""

    def __init__(self, pyctr: Pyctr, base: Path) -> None:
        self.pyctr = pyctr
        self.base = base
        self._seen: set[str] = set()

    def rows(self) -> dict[str, str]:
        """One ``pyctr ps``: the state of every container."""
        listed = self.pyctr.ok("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}}")
        return dict(line.split() for line in listed.splitlines())

    def clean(self) -> dict[str, str]:
        """The same, and afterwards nothing may be on the host that no container in it owns."""
        rows = self.rows()
        found = self.leftovers(rows)
        deadline = time.monotonic() + 5
        while found and time.monotonic() < deadline:  # processes that are on their way out
            time.sleep(0.02)
            found = self.leftovers(rows)
        assert found == [], found
        return rows

    def empty(self) -> None:
        """Remove every container; nothing at all may be left."""
        ids = list(self.rows())
        if ids:
            self.pyctr.ok("rm", "-fv", *ids)
        rows = self.clean()
        assert rows == {}, rows

    def settle(self) -> None:
        """Wait until every supervisor of a passing program has ended."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self.processes():
            assert time.monotonic() < deadline, self.processes()
            time.sleep(0.01)

    def leftovers(self, rows: dict[str, str]) -> list[str]:
        """What no row accounts for."""
        live = {id for id, state in rows.items() if state in ("running", "paused")}
        root, run = self.base / "root", self.base / "run"
        found = [f"bundle {id}" for id in _names(run / "containers") if id not in live]
        found += [f"directory {id}" for id in _names(root / "containers") if id not in rows]
        found += [
            f"layer {id}"
            for id in _names(root / "overlay2")
            if id not in rows and (root / "overlay2" / id / "work").exists()
        ]
        found += [f"rubbish {name}" for place in ("trash", "tmp") for name in _names(root / place)]
        for id in self.seen() - live:
            found += [f"cgroup {path}" for path in HIERARCHIES.glob(f"*/pyctr/{id}")]
        found += [f"process {text}" for text in self.processes() if not any(id in text for id in live)]
        if not live:
            found += [f"mount {line}" for line in mounts_of(str(self.base))]
        return found

    def seen(self) -> set[str]:
        """Every container that got as far as the journal, whatever became of that."""
        journal = self.base / "root" / "events.json"
        if journal.exists():
            self._seen |= {id.decode() for id in ID.findall(journal.read_bytes())}
        return self._seen

    def processes(self) -> list[str]:
        """Supervisors of this store, with those that died and were never buried."""
        found = []
        names = {f"py:{id[:12]}" for id in self.seen()}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
                if b"shim" in command[1:2] and str(self.base).encode() in command[3]:
                    found.append(b" ".join(command).decode())
                elif (
                    not command[0]
                    and (process / "comm").read_text().strip() in names
                    and parent_of(process) != 1
                ):
                    found.append(
                        f"zombie {process.name}"
                    )  # what init has inherited, it buries when it comes to it
            except (OSError, IndexError):
                continue
        return found


def supervisor_of(base: Path, id: str) -> int:
    """The pid of a running container's supervisor."""
    return int((base / "run" / "containers" / id / "shim.lock").read_text())


def parent_of(process: Path) -> int:
    """The parent of a process, by its directory in /proc."""
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])


def mounts_of(text: str) -> list[str]:
    """Every mount, in any namespace, that mentions this."""
    found = []
    seen = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            namespace = (process / "ns" / "mnt").readlink()
            if namespace in seen:
                continue
            seen.add(namespace)
            found += [line for line in (process / "mountinfo").read_text().splitlines() if text in line]
        except OSError:
            continue
    return found


def kill_at(process: subprocess.Popen[bytes], moment: float) -> None:
    """SIGKILL after so many seconds, if it has not ended by then."""
    time.sleep(moment)
    process.kill()
    process.communicate()


def _names(path: Path) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        return []
