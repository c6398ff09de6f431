"""The volumes of a new container: make them, note who needs them, and fill them from the image."""

from __future__ import annotations

import errno
import os

from pyctr import _core
from pyctr.engine.container.rootfs import image_opened
from pyctr.engine.volume.store import make_directories
from pyctr.errors import InvalidParameter, SystemFailure
from pyctr.store.paths import store_error
from pyctr.store.volumes import VolumeRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core
    from pyctr.engine.spec.points import Point
    from pyctr.store.containers import Row

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def make_volumes(core: Core, row: Row, points: list[Point]) -> None:
    """Everything the container's mounts need on the host."""
    fresh = []
    for point in points:
        if point["Type"] == "volume":
            if _make(core, row, point) or _is_empty(point["Source"]):
                fresh.append(point)
        elif point["Type"] == "bind" and point.get("Create"):
            make_source(point["Source"])
    wanted = [point for point in fresh if not point.get("NoCopy") and not point.get("Subpath")]
    if wanted:
        _copy_up(core, row, wanted)
    for point in points:
        if point.get("Subpath"):
            os.close(open_subpath(point))


def make_source(path: str) -> None:
    """Make a bind's missing source, as docker does for ``-v``."""
    try:
        os.makedirs(path, 0o755, exist_ok=True)
    except FileExistsError:
        return  # a file
    except OSError as error:
        raise InvalidParameter(
            f"error while creating mount source path '{path}': {error.strerror}"
        ) from error


def _make(core: Core, row: Row, point: Point) -> bool:
    """Make the volume unless it is there, and note that the container needs it; says whether it is new."""
    volume = VolumeRow(point["Name"], row.created, int(bool(point.get("Anonymous"))), "", "")
    volume.labels = point.get("Labels") or {}
    with core.db.write():
        new = core.volumes.add(volume)
        core.volumes.use(row.id, volume.name)
    try:
        make_directories(core, volume.name)
    except OSError as error:
        raise store_error(f"make the volume {volume.name}", error) from error
    if new:
        core.journal.write("volume", "create", volume.name, {"driver": "local"})
    return new


def _is_empty(path: str) -> bool:
    with os.scandir(path) as entries:
        return next(entries, None) is None


def _copy_up(core: Core, row: Row, points: list[Point]) -> None:
    """Fill volumes with what the image has at their places."""
    with image_opened(core, row.id) as root:
        for point in points:
            _copy(root, point)


def _copy(root: int, point: Point) -> None:
    path = os.fsencode(point["Destination"])
    try:
        source = _core.open_in_root(root, path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return
        raise SystemFailure(f"cannot open {point['Destination']} of the image: {error.strerror}") from error
    try:
        target = os.open(point["Source"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _core.tree_copy(source, target)
        finally:
            os.close(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SystemFailure(
            f"cannot fill volume {point['Name']}: {reason}", errno=error.errno or 0
        ) from error
    finally:
        os.close(source)


def open_subpath(point: Point) -> int:
    """What of a volume is mounted, as a descriptor (O_PATH): no link in the volume leads out of it."""
    root = os.open(point["Source"], _DIRECTORY)
    try:
        return _core.open_in_root(root, os.fsencode(point["Subpath"]), os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        what = f"cannot access path {point['Subpath']} of volume {point['Name']}: {reason}"
        raise InvalidParameter(what) from None
    finally:
        os.close(root)
