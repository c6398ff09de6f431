"""Storage drivers: how layers become a container's file system.

``choose`` gives the store's driver. ``base.Driver`` is what a driver can do.
"""

from __future__ import annotations

import os

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.store.drivers.base import Driver
    from pyctr.store.paths import Paths

NAMES = ("overlay2", "vfs")
"""In the order of preference."""


def choose(paths: Paths, wanted: str = "") -> Driver:
    """The store's driver: ``wanted``, ``$PYCTR_STORAGE_DRIVER``, the one in use, or the first that works.

    A store keeps the driver it began with: its layers exist in that one's form only. Asking for another one
    begins anew beside it. InvalidParameter for one that does not exist or does not work here.
    """
    wanted = wanted or os.environ.get("PYCTR_STORAGE_DRIVER") or ""
    if wanted and wanted not in NAMES:
        raise InvalidParameter(f'no such storage driver: "{wanted}": use one of {", ".join(NAMES)}')
    for name in (wanted,) if wanted else NAMES:
        if os.path.isdir(f"{paths.root}/{name}"):
            return load(name, paths)
    return _first_that_works(paths, wanted)


def load(name: str, paths: Paths) -> Driver:
    """The driver of that name, without a look at whether it works here."""
    if name == "vfs":
        from pyctr.store.drivers.vfs import Vfs

        return Vfs(paths)
    from pyctr.store.drivers.overlay2 import Overlay2

    return Overlay2(paths)


def reasons(paths: Paths) -> dict[str, str]:
    """For every driver why it cannot be used here; empty if it can."""
    return {name: load(name, paths).probe() for name in NAMES}


def _first_that_works(paths: Paths, wanted: str) -> Driver:
    paths.prepare()
    reason = ""
    for name in (wanted,) if wanted else NAMES:
        driver = load(name, paths)
        reason = driver.probe()
        if not reason:
            driver.prepare()
            return driver
    raise InvalidParameter(f"cannot use the storage driver {wanted or NAMES[-1]} in {paths.root}: {reason}")
