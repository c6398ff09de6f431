"""An engine of each test's own, and a look behind it: whatever a test leaves on the host fails it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pyctr
from pyctr.engine.local import LocalEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

HIERARCHIES = Path("/sys/fs/cgroup")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[pyctr.Engine]:
    """An engine with an empty store; afterwards nothing of its containers may be left."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    engine = pyctr.Engine(str(tmp_path / "root"), str(tmp_path / "run"))
    try:
        yield engine
        for container in engine.containers.list(all=True):
            container.remove(force=True, volumes=True)
    finally:
        engine.close()
    # A supervisor gives up its lock a moment before the kernel is done with it.
    deadline = time.monotonic() + 5
    while (found := leftovers(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found == []


@pytest.fixture
def local(engine: pyctr.Engine) -> LocalEngine:
    """The same engine, below its Python API."""
    assert isinstance(engine.backend, LocalEngine)
    return engine.backend


def leftovers(base: Path) -> list[str]:
    """What the containers of a store have left on the host."""
    found = [f"file {path}" for name in ("root/containers", "root/trash", "root/tmp", "run/containers")
             if (base / name).is_dir() for path in (base / name).iterdir()]  # fmt: skip
    for id in container_ids(base):
        found += [f"layer {path}" for path in (base / "root").glob(f"*/{id}")]
        found += [
            f"cgroup {path}"
            for pattern in ("pyctr", "*/pyctr")
            for path in HIERARCHIES.glob(f"{pattern}/{id}")
        ]
        found += [
            f"process {path.parent}"
            for path in Path("/proc").glob("[0-9]*/stat")
            if _name(path) == f"py:{id[:12]}"
        ]
    mounts = Path("/proc/self/mountinfo").read_text()
    found += [f"mount {line}" for line in mounts.splitlines() if str(base) in line]
    return found


def container_ids(base: Path) -> set[str]:
    """Every container there ever was, from the journal."""
    journal = base / "root" / "events.json"
    if not journal.exists():
        return set()
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    return {event["Actor"]["ID"] for event in events if event["Type"] == "container"}


def _name(stat: Path) -> str:
    """Return the name of a process, or nothing for a dead one: init may take seconds to reap it."""
    try:
        name, _, rest = stat.read_text().partition("(")[2].rpartition(")")
    except OSError:
        return ""
    return "" if rest.split()[0] == "Z" else name
