"""A layer on its way into the store: made aside, visible in one step."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.errors import InvalidImage, SystemFailure
from pyctr.store import files
from pyctr.store.paths import store_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyctr._core import Applied
    from pyctr.store.drivers.directory import DirectoryDriver

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Staging:
    """A layer being made, in ``tmp/``, where recovery finds it if we die. Use as a context manager."""

    def __init__(self, driver: DirectoryDriver, layers: Sequence[str]) -> None:
        self._driver = driver
        self._layers = layers
        self.path = files.temporary(driver.paths)

    def __enter__(self) -> Staging:
        try:
            os.mkdir(self.path, 0o700)
            self._driver.fill(self.path, self._layers)
        except OSError as error:
            self.__exit__()
            raise store_error("make a layer", error) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        files.remove_tree(self.path)

    def apply(self, fd: int) -> Applied:
        """Unpack the archive read from ``fd``; gives its digests and sizes (``_core.layer_apply``).

        InvalidImage when the archive is damaged or refused, SystemFailure when the disk is.
        """
        opened: list[int] = []
        try:
            paths = [self.path + "/diff", *self._driver.lower(self._layers)]
            opened += (os.open(path, _DIRECTORY) for path in paths)
            target, *lower = opened
            return _core.layer_apply(fd, target, whiteouts=self._driver.whiteouts, lower=lower)
        except ValueError as error:
            raise InvalidImage(str(error)) from None
        except OSError as error:
            raise SystemFailure(error.strerror or str(error), errno=error.errno or 0) from None
        finally:
            for descriptor in opened:
                os.close(descriptor)

    def commit(self, layer: str) -> None:
        """Make it the layer of that chain id, durable on return. If there is one already, that one stays."""
        fd = os.open(self.path, _DIRECTORY)
        try:
            _core.sync_filesystem(fd)
        except OSError as error:
            raise store_error("write a layer", error) from error
        finally:
            os.close(fd)
        target = self._driver.path(layer)
        try:
            os.chmod(self.path, 0o710)
            os.rename(self.path, target)
            _sync_directory(os.path.dirname(target))
        except OSError as error:
            if not self._driver.has(layer):
                raise store_error(f"make the layer {layer[:12]}", error) from error


def _sync_directory(path: str) -> None:
    """Have a directory's entries written to the disk."""
    fd = os.open(path, _DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
