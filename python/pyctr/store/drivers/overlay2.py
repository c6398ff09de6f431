"""overlay2: the kernel shows a stack of directories as one. Nothing is copied before it is written to.

::

    <root>/overlay2/<id>/diff    what the layer, or the container, adds
                         work    overlayfs's own scratch space, of containers only
                         lower   the layers below, of containers only
    <root>/overlay2/skeleton     below all of them
"""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.store import files
from pyctr.store.drivers import skeleton
from pyctr.store.drivers.directory import HOST, DirectoryDriver, compare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Overlay2(DirectoryDriver):
    """The driver of choice wherever the kernel lets us mount overlayfs on the store's file system."""

    name = "overlay2"
    whiteouts = "overlay"

    def probe(self) -> str:
        home = files.temporary(self.paths)
        lower, upper, work = (f"{home}/{name}" for name in ("lower", "upper", "work"))
        try:
            for path in (home, lower, upper, work):
                os.mkdir(path, 0o700)
            os.close(_core.overlay_open([lower], upper, work))
        except OSError as error:
            return f"cannot mount overlayfs: {error.strerror or error}"
        finally:
            files.remove_tree(home)
        return ""

    def fill(self, staging: str, layers: Sequence[str]) -> None:
        diff = staging + "/diff"
        os.mkdir(diff, 0o755)
        # The root that shows is the uppermost layer's: it must look like the one it covers.
        mode, uid, gid = 0o755, 0, 0
        for below in self.lower(layers[:1]):
            stat = os.stat(below)
            mode, uid, gid = stat.st_mode & 0o7777, stat.st_uid, stat.st_gid
        os.chmod(diff, mode)
        if (uid, gid) != (os.geteuid(), os.getegid()):
            os.chown(diff, uid, gid)

    def create(self, id: str, layers: Sequence[str]) -> None:
        super().create(id, layers)
        os.mkdir(f"{self.path(id)}/work", 0o700)

    def lower(self, layers: Sequence[str]) -> list[str]:
        return ["/" if layer == HOST else f"{self.path(layer)}/diff" for layer in layers]

    def rootfs(self, id: str) -> dict[str, Any]:
        home = self.path(id)
        lower = self._below(id)
        return {"overlay": {"lower": lower, "upper": f"{home}/diff", "work": f"{home}/work"}}

    def changes(self, id: str) -> list[tuple[str, bytes]]:
        return compare(f"{self.path(id)}/diff", self._below(id), overlay=True)

    def data(self, id: str) -> dict[str, str] | None:
        home = self.path(id)
        data = {"UpperDir": f"{home}/diff", "WorkDir": f"{home}/work", "MergedDir": f"{home}/merged"}
        return {"LowerDir": ":".join(self._below(id)), **data}

    def _below(self, id: str) -> list[str]:
        """The directories below a container's own, top first: at least one, as overlayfs wants it."""
        lower = self.lower(self.layers(id))
        if lower != ["/"]:
            path = f"{self.home}/skeleton"
            skeleton.ensure(path, self.paths)
            lower.append(path)
        return lower
