"""The volume commands."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.engine.clock import rfc3339
from pyctr.engine.volume.store import check_driver, check_name, data, erase, make
from pyctr.errors import Conflict, InvalidParameter
from pyctr.store import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.volumes import VolumeRow


def create(core: Core, body: t.VolumeCreateBody) -> t.Volume:
    """``POST /volumes/create``."""
    driver, options = body.get("Driver") or "", dict(body.get("DriverOpts") or {})
    check_driver(driver, options)
    name = body.get("Name") or names.new_id()
    check_name(name)
    labels = dict(body.get("Labels") or {})
    if not body.get("Name"):
        labels.setdefault("com.docker.volume.anonymous", "")
    make(core, name, labels, options)
    return document(core, core.volumes.find(name))


def list_volumes(core: Core, filters: t.Filters | None = None) -> t.VolumeList:
    """``GET /volumes``."""
    filters = filters or {}
    for key in filters:
        if key not in ("dangling", "driver", "label", "name"):
            raise InvalidParameter(f"invalid filter '{key}'")
    used = core.volumes.in_use()
    rows = [row for row in core.volumes.list() if _matches(row, filters, used)]
    return {"Volumes": [document(core, row) for row in rows], "Warnings": None}


def _matches(row: VolumeRow, filters: t.Filters, used: dict[str, int]) -> bool:
    for wanted in filters.get("dangling", ()):
        if wanted.lower() not in ("true", "1", "false", "0"):
            raise InvalidParameter(f"invalid filter 'dangling={wanted}'")
        if (row.name not in used) != (wanted.lower() in ("true", "1")):
            return False
    if filters.get("driver") and "local" not in filters["driver"]:
        return False
    if filters.get("name") and not any(part in row.name for part in filters["name"]):
        return False
    return all(has_label(row, label) for label in filters.get("label", ()))


def has_label(row: VolumeRow, wanted: str) -> bool:
    """Whether a volume has ``KEY`` or ``KEY=VALUE``."""
    key, equals, value = wanted.partition("=")
    return key in row.labels and (not equals or row.labels[key] == value)


def inspect(core: Core, name: str) -> t.Volume:
    """``GET /volumes/{name}``."""
    return document(core, core.volumes.find(name))


def document(core: Core, row: VolumeRow) -> t.Volume:
    """The API's document of a row."""
    labels = {**row.labels, "com.docker.volume.anonymous": ""} if row.anonymous else row.labels
    return {
        "CreatedAt": rfc3339(row.created),
        "Driver": "local",
        "Labels": labels or None,
        "Mountpoint": data(core, row.name),
        "Name": row.name,
        "Options": row.options or None,
        "Scope": "local",
    }


def prune(core: Core, filters: t.Filters | None = None) -> t.PruneReply:
    """``POST /volumes/prune``: anonymous ones that no container needs; with ``all=true`` named ones too."""
    filters = filters or {}
    for key in filters:
        if key not in ("all", "label", "label!"):
            raise InvalidParameter(f"invalid filter '{key}'")
    every = any(value.lower() in ("1", "true") for value in filters.get("all", ()))
    used = core.volumes.in_use()
    deleted, freed = [], 0
    for row in core.volumes.list():
        anonymous = row.anonymous or "com.docker.volume.anonymous" in row.labels
        if row.name in used or not (every or anonymous):
            continue
        if not all(has_label(row, label) for label in filters.get("label", ())):
            continue
        if any(has_label(row, label) for label in filters.get("label!", ())):
            continue
        size = usage(core, row.name)
        try:
            gone = erase(core, row.name)
        except Conflict:
            continue
        if gone:
            deleted.append(row.name)
            freed += size
    return {"VolumesDeleted": deleted, "SpaceReclaimed": freed}


def usage(core: Core, name: str) -> int:
    """Bytes on disk; 0 when they cannot be counted."""
    try:
        fd = os.open(data(core, name), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return _core.tree_usage(fd)[0]
    except OSError:
        return 0
    finally:
        os.close(fd)
