"""vfs: every layer is a full tree, a copy of the one below. Slow and large, and works on any file system.

::

    <root>/vfs/<id>/diff    the whole tree
                    lower   the layers below, of containers only
"""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.errors import Unsupported
from pyctr.store.drivers import skeleton
from pyctr.store.drivers.directory import HOST, DirectoryDriver, compare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Vfs(DirectoryDriver):
    """The fallback, and the reference that the others are compared with."""

    name = "vfs"
    whiteouts = "remove"

    def probe(self) -> str:
        return ""

    def fill(self, staging: str, layers: Sequence[str]) -> None:
        diff = staging + "/diff"
        os.mkdir(diff, 0o755)
        os.chmod(diff, 0o755)  # whatever the umask is
        if not layers:
            skeleton.make(diff)
        for below in self._top(layers):
            source = os.open(below, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                target = os.open(diff, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    _core.tree_copy(source, target)
                finally:
                    os.close(target)
            finally:
                os.close(source)

    def lower(self, layers: Sequence[str]) -> list[str]:  # noqa: ARG002
        return []  # what is below is in the tree already

    def rootfs(self, id: str) -> dict[str, Any]:
        return {"path": f"{self.path(id)}/diff"}

    def changes(self, id: str) -> list[tuple[str, bytes]]:
        below = self._top(self.layers(id))
        return compare(f"{self.path(id)}/diff", below, overlay=not below)

    def data(self, id: str) -> dict[str, str] | None:  # noqa: ARG002
        return None

    def _top(self, layers: Sequence[str]) -> list[str]:
        """The directory of the uppermost layer, which has all of those below in it; none without layers."""
        if HOST in layers:
            raise Unsupported(
                "the image host needs the storage driver overlay2",
                hint="the machine's root can be shown under a writable layer only by overlayfs",
            )
        return [f"{self.path(layer)}/diff" for layer in layers[:1]]
