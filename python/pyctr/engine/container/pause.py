"""pause and unpause: freeze and thaw the container's cgroup."""

from __future__ import annotations

from pyctr.engine import cgroups
from pyctr.errors import Conflict
from pyctr.store.locks import DirLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core


def pause(core: Core, ref: str) -> None:
    """``POST /containers/{id}/pause``."""
    row = core.container(ref)
    with DirLock(core.paths.container(row.id)):
        row = core.container(row.id)
        if row.state == "paused":
            raise Conflict(f"container {ref} is already paused")
        if row.state != "running":
            raise Conflict(f"container {ref} is not running")
        cgroups.freeze(core, row, frozen=True)
        core.containers.change(row.id, ("running",), state="paused")
    core.note(row, "pause")


def unpause(core: Core, ref: str) -> None:
    """``POST /containers/{id}/unpause``."""
    row = core.container(ref)
    with DirLock(core.paths.container(row.id)):
        row = core.container(row.id)
        if row.state != "paused":
            raise Conflict(f"container {ref} is not paused")
        cgroups.freeze(core, row, frozen=False)
        core.containers.change(row.id, ("paused",), state="running")
    core.note(row, "unpause")
