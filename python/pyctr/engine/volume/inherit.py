"""``--volumes-from``: the mounts of other containers."""

from __future__ import annotations

from pyctr.errors import InvalidParameter
from pyctr.store.json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyctr.engine import types as t
    from pyctr.engine.spec.points import Point
    from pyctr.store.store import Store

MOUNT_POINT_KEYS = ("Type", "Name", "Source", "Destination", "Driver", "Mode", "RW", "Propagation")


def inherited(store: Store, host: t.HostConfig) -> Iterator[Point]:
    """The points of the containers that HostConfig.VolumesFrom names, ``NAME[:ro|rw]``."""
    for spec in host.get("VolumesFrom") or ():
        container, _, mode = spec.partition(":")
        if not container or mode not in ("", "ro", "rw", "z", "Z"):
            raise InvalidParameter(f"invalid volumes-from specification: '{spec}'")
        for point in points_of(store, container):
            if point["Type"] == "tmpfs":
                continue
            if mode == "ro":
                point["RW"] = False
            point["NoCopy"] = True
            yield point


def points_of(store: Store, ref: str) -> list[Point]:
    """The mounts of an existing container."""
    found: list[Point] = loads(store.containers.find(ref).doc)["Points"]
    return found


def shown(points: list[Point], host: t.HostConfig) -> list[t.MountPoint]:
    """What ``inspect`` shows of points: without ``--tmpfs``, which it shows in HostConfig alone."""
    hidden = host.get("Tmpfs") or {}
    return [
        {key: point[key] for key in MOUNT_POINT_KEYS if key in point}  # type: ignore[literal-required, misc]
        for point in points
        if point["Type"] != "tmpfs" or point["Destination"] not in hidden
    ]
