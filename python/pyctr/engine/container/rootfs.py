"""A container's root file system, seen from the host: a directory that only we hold, mounted nowhere."""

from __future__ import annotations

import os
from contextlib import contextmanager

from pyctr import _core
from pyctr.engine.failing import Failing
from pyctr.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyctr.engine.core import Core

    Rootfs = dict[str, Any]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def opened(core: Core, id: str, *, running: bool = False) -> Iterator[int]:
    """Open it for a while. A container that does not run must be locked; what runs is only read."""
    rootfs = core.driver.rootfs(id)
    work = files.temporary(core.paths)
    try:
        with Failing(f"open the file system of container {id[:12]}"):
            fd = _open_beside(rootfs, work) if running else _open(rootfs)
        try:
            yield fd
        finally:
            os.close(fd)
    finally:
        if running:
            files.remove_tree(work)


@contextmanager
def image_opened(core: Core, id: str) -> Iterator[int]:
    """Open what the container's image shows, to read it."""
    rootfs = core.driver.rootfs(id)
    with Failing(f"open the file system of container {id[:12]}"):
        fd = _core.overlay_open(rootfs["overlay"]["lower"]) if "overlay" in rootfs else _open(rootfs)
    try:
        yield fd
    finally:
        os.close(fd)


def _open(rootfs: Rootfs) -> int:
    if "path" in rootfs:
        return os.open(rootfs["path"], _DIRECTORY)
    overlay = rootfs["overlay"]
    return _core.overlay_open(overlay["lower"], overlay["upper"], overlay["work"])


def _open_beside(rootfs: Rootfs, work: str) -> int:
    """A second look at the layers of a running container, whose scratch space must be left alone."""
    if "path" in rootfs:
        return _open(rootfs)
    overlay = rootfs["overlay"]
    try:
        return _core.overlay_open([overlay["upper"], *overlay["lower"]])
    except OSError:
        # Layers that are only read may not lie in one another, as they do over the image host.
        os.mkdir(work, 0o700)
        return _core.overlay_open(overlay["lower"], overlay["upper"], work)
