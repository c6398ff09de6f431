"""A container's root file system, seen from the host: a directory that only we hold, mounted nowhere."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.errors import SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core


def open_root(core: Core, id: str, *, writable: bool = False) -> int:
    """Open it; the caller closes it. ``writable`` only for a container that does not run and is locked.

    Without, its own layer is the top one of those that are only read: overlayfs refuses to have one layer
    written to through two mounts.
    """
    rootfs = core.driver.rootfs(id)
    try:
        if "path" in rootfs:
            return os.open(rootfs["path"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        overlay = rootfs["overlay"]
        if writable:
            return _core.overlay_open(overlay["lower"], overlay["upper"], overlay["work"])
        return _core.overlay_open([overlay["upper"], *overlay["lower"]])
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        what = f"cannot open the file system of container {id[:12]}: {reason}"
        raise SystemFailure(what, errno=error.errno or 0) from error
