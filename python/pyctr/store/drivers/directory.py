"""What drivers with one directory per layer have in common. See ``base.py`` for what the methods mean."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.errors import Conflict, DamagedStore, SystemFailure
from pyctr.store import files
from pyctr.store.paths import store_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from pyctr.store.drivers.staging import Staging
    from pyctr.store.paths import Paths
    from pyctr.store.sweeper import Sweeper

HOST = "host"
"""The layer that is the machine's own root."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class DirectoryDriver:
    """Layers and containers' layers as directories ``<root>/<driver>/<id>``, their files in ``diff``."""

    name = ""
    whiteouts: Literal["overlay", "remove"]
    """The form that ``_core.layer_apply`` gives to whiteouts."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.home = f"{paths.root}/{self.name}"

    def path(self, id: str) -> str:
        return f"{self.home}/{id}"

    def prepare(self) -> None:
        try:
            os.mkdir(self.home, 0o710)
            os.chmod(self.home, 0o710)  # whatever the umask is
        except FileExistsError:
            return
        except OSError as error:
            raise store_error(f"make the directory {self.home}", error) from error

    def fill(self, staging: str, layers: Sequence[str]) -> None:
        """Make ``diff`` in a new layer's directory."""
        raise NotImplementedError

    def lower(self, layers: Sequence[str]) -> list[str]:
        """The directories whose attributes an archive's unnamed directories take."""
        raise NotImplementedError

    def stage(self, layers: Sequence[str]) -> Staging:
        from pyctr.store.drivers.staging import Staging

        return Staging(self, layers)

    def has(self, layer: str) -> bool:
        return layer == HOST or os.path.isdir(f"{self.path(layer)}/diff")

    def discard(self, layer: str) -> None:
        try:
            files.discard(self.path(layer), self.paths.trash)
        except OSError as error:
            raise store_error(f"remove the layer {layer[:12]}", error) from error

    def create(self, id: str, layers: Sequence[str]) -> None:
        try:
            os.mkdir(self.path(id), 0o710)
            self.fill(self.path(id), layers)
            files.write(f"{self.path(id)}/lower", "\n".join(layers).encode())
        except OSError as error:
            missing = next((layer for layer in layers if not self.has(layer)), "")
            if missing:
                raise Conflict(
                    f"the image's layer {missing[:12]} is gone: it was removed meanwhile"
                ) from error
            raise store_error(f"make the file system of container {id[:12]}", error) from error

    def layers(self, id: str) -> list[str]:
        """What a container's layer lies on, top first."""
        try:
            return files.read(f"{self.path(id)}/lower").decode().split()
        except (OSError, ValueError) as error:
            raise DamagedStore(f"cannot read {self.path(id)}/lower: {error}") from error

    def size(self, id: str) -> int:
        try:
            fd = os.open(f"{self.path(id)}/diff", _DIRECTORY)
        except OSError:
            return 0
        try:
            size, _ = _core.tree_usage(fd)
        except OSError as error:
            raise SystemFailure(error.strerror or str(error), errno=error.errno or 0) from None
        finally:
            os.close(fd)
        return size

    def remove(self, id: str, sweeper: Sweeper) -> list[OSError]:
        return sweeper.remove(self.path(id), self.paths.trash)


def compare(new: str, old: Sequence[str], *, overlay: bool) -> list[tuple[str, bytes]]:
    """What makes the directory ``new`` differ from those below it, top first."""
    opened: list[int] = []
    try:
        opened += (os.open(path, _DIRECTORY) for path in (new, *old))
        upper, *lower = opened
        changes = _core.layer_changes(upper, lower) if overlay else _core.tree_changes(upper, lower[0])
    except OSError as error:
        raise SystemFailure(f"cannot compare {new}: {error.strerror}", errno=error.errno or 0) from None
    finally:
        for fd in opened:
            os.close(fd)
    return [(kind, path) for kind, path in changes]
