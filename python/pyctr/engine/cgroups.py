"""The cgroups of a container, through ``_core``, which hides what version they are."""

from __future__ import annotations

import json

from pyctr import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

DEFAULT_PARENT = "pyctr"


def path(core: Core, row: Row) -> str:
    """``cgroupsPath`` of the container's config.json."""
    parent = core.document(row)["HostConfig"].get("CgroupParent") or DEFAULT_PARENT
    return f"/{parent.strip('/')}/{row.id}"


def freeze(core: Core, row: Row, *, frozen: bool) -> None:
    """Stop all its processes where they are, or let them go on."""
    (_core.cgroup_freeze if frozen else _core.cgroup_thaw)(path(core, row))


def pids(core: Core, row: Row) -> list[int]:
    """Its processes, by the host's pids."""
    return _core.cgroup_pids(path(core, row))


def stats(core: Core, row: Row) -> dict[str, Any]:
    """What it has used, in the shape of ``runc events --stats``."""
    found: dict[str, Any] = json.loads(_core.cgroup_stats(path(core, row)))
    return found


def update(core: Core, row: Row, resources: dict[str, Any]) -> None:
    """Change its limits; ``resources`` as ``linux.resources`` of config.json."""
    _core.cgroup_update(path(core, row), json.dumps(resources).encode())


def kill(core: Core, row: Row) -> None:
    """SIGKILL for every process in it."""
    _core.cgroup_kill(path(core, row))


def destroy(core: Core, row: Row) -> None:
    """Kill whatever is left in it and remove it. Harmless when there is none."""
    _core.cgroup_remove(path(core, row))
