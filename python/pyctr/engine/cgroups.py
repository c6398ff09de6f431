"""The cgroups of a container, through ``_core``, which hides what version they are."""

from __future__ import annotations

from pyctr import _core
from pyctr.engine.failing import Failing
from pyctr.errors import DamagedStore
from pyctr.store.json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

DEFAULT_PARENT = "pyctr"


def path(core: Core, row: Row) -> str:
    """``cgroupsPath`` of the container's config.json."""
    try:
        parent = core.document(row)["HostConfig"].get("CgroupParent") or DEFAULT_PARENT
    except DamagedStore:
        parent = DEFAULT_PARENT
    return f"/{parent.strip('/')}/{row.id}"


def freeze(core: Core, row: Row, *, frozen: bool) -> None:
    """Stop all its processes where they are, or let them go on."""
    with Failing(f"{'pause' if frozen else 'unpause'} container {row.name}"):
        (_core.cgroup_freeze if frozen else _core.cgroup_thaw)(path(core, row))


def pids(core: Core, row: Row) -> list[int]:
    """Its processes, by the host's pids."""
    with Failing(f"list the processes of container {row.name}"):
        return _core.cgroup_pids(path(core, row))


def stats(core: Core, row: Row) -> dict[str, Any]:
    """What it has used, in the shape of ``runc events --stats``."""
    with Failing(f"measure container {row.name}"):
        found: dict[str, Any] = loads(_core.cgroup_stats(path(core, row)))
        return found


def update(core: Core, row: Row, resources: dict[str, Any]) -> None:
    """Change its limits; ``resources`` as ``linux.resources`` of config.json."""
    with Failing(f"update container {row.name}"):
        _core.cgroup_update(path(core, row), dumps(resources).encode())


def kill(core: Core, row: Row) -> None:
    """SIGKILL for every process in it."""
    with Failing(f"kill container {row.name}"):
        _core.cgroup_kill(path(core, row))


def destroy(core: Core, row: Row) -> None:
    """Kill whatever is left in it and remove it. Harmless when there is none."""
    with Failing(f"remove the cgroups of container {row.name}"):
        _core.cgroup_remove(path(core, row))


def destroy_orphan(id: str) -> None:
    """The same for a container that nothing is known about; best effort."""
    try:
        _core.cgroup_remove(f"/{DEFAULT_PARENT}/{id}")
    except (OSError, ValueError):
        return
