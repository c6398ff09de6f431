"""One flock per container, on its directory, held by whoever changes its state. Listing takes none."""

from __future__ import annotations

import errno
import fcntl
import os

from pyctr.errors import SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class DirLock:
    """``with DirLock(path) as lock:`` waits until it is ours; ``lock.held`` tells whether it is.

    Whoever gets the lock reads the row again: the holder before may have removed the object.
    """

    __slots__ = ("_fd", "_path", "_wait", "missing")

    def __init__(self, path: str, *, wait: bool = True) -> None:
        self._path = path
        self._wait = wait
        self._fd = -1
        self.missing = False
        """There is no such directory, so nobody can hold its lock."""

    @property
    def held(self) -> bool:
        """False when the directory is missing, or somebody else has it and we did not want to wait."""
        return self._fd >= 0

    def __enter__(self) -> DirLock:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                self.missing = True
                return self
            raise SystemFailure(
                f"cannot lock {self._path}: {error.strerror}", errno=error.errno or 0
            ) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | (0 if self._wait else fcntl.LOCK_NB))
        except BlockingIOError:
            self._drop()
        except OSError as error:
            self._drop()
            raise SystemFailure(
                f"cannot lock {self._path}: {error.strerror}", errno=error.errno or 0
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()

    def _drop(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
