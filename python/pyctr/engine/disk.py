"""system df: what images, containers and volumes take of the disk."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.engine.container.list import list_containers
from pyctr.engine.image.list import list_images
from pyctr.engine.volume.verbs import list_volumes
from pyctr.store.images import ImageRows, LayerRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core


def disk_usage(core: Core) -> t.DiskUsage:
    """``GET /system/df``. Sizes are of what files hold; a layer counts once, however many images have it."""
    layers = LayerRows(core.db).sizes()
    containers = list_containers(core, all=True, size=True)
    for container in containers:
        container.pop("SizeRootFs", None)
    return {
        "LayersSize": sum(layers.values()),
        "Images": _images(core, layers),
        "Containers": containers,
        "Volumes": _volumes(core),
        "BuildCache": [],
    }


def _images(core: Core, sizes: dict[str, int]) -> list[t.ImageSummary]:
    layers = {row.id: row.layers for row in ImageRows(core.db).all()}
    users: dict[str, int] = {}
    for layer in (layer for chain in layers.values() for layer in chain):
        users[layer] = users.get(layer, 0) + 1
    images = list_images(core)
    for image in images:
        own = layers.get(image["Id"], ())
        image["SharedSize"] = sum(sizes.get(layer, 0) for layer in own if users[layer] > 1)
    return images


def _volumes(core: Core) -> list[t.Volume]:
    used = core.volumes.in_use()
    volumes = list_volumes(core)["Volumes"]
    for volume in volumes:
        size = _tree_size(volume["Mountpoint"])
        volume["UsageData"] = {"RefCount": used.get(volume["Name"], 0), "Size": size}
    return volumes


def _tree_size(path: str) -> int:
    """Bytes in a directory's files; -1, docker's word for *unknown*, if they cannot be looked at."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return -1
    try:
        size: int = _core.tree_usage(fd)[0]
    except OSError:
        return -1
    finally:
        os.close(fd)
    return size
