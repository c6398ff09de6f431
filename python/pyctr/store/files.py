"""Files: write one whole, remove a tree whatever it holds. Nothing here follows a symbolic link."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.store import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.store.paths import Paths

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def write(path: str, data: bytes, mode: int = 0o600) -> None:
    """Make the file with this content. For files of a directory that is not in use yet: not atomic."""
    fd = os.open(path, _NEW, mode)
    try:
        while data:
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)


def replace(path: str, data: bytes, mode: int = 0o600) -> None:
    """Give the file this content, all or nothing."""
    temporary = f"{path}.{owner.me()}"
    try:
        write(temporary, data, mode)
        os.rename(temporary, path)
    except OSError:
        unlink(temporary)
        raise


def read(path: str, limit: int = 1 << 20) -> bytes:
    """The content, or nothing if there is no such file; ValueError when it is larger than ``limit``."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with os.fdopen(fd, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes")
    return data


def unlink(path: str) -> None:
    """Remove the file if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def temporary(paths: Paths) -> str:
    """A new name under ``tmp/`` that says whose it is, so that recovery sweeps it once its owner is dead."""
    return f"{paths.tmp}/{owner.me()}.{os.urandom(8).hex()}"


def discard(path: str, trash: str) -> str | None:
    """Move a directory out of sight, in one step; gives its name in ``trash``, None if it was not there."""
    target = f"{trash}/{os.urandom(8).hex()}"
    try:
        os.rename(path, target)
    except FileNotFoundError:
        if not os.path.lexists(path):
            return None
        os.makedirs(trash, 0o700, exist_ok=True)
        os.rename(path, target)
    return target


def remove_tree(path: str) -> list[OSError]:
    """Remove a directory and all that is in it; gives what could not be removed. Harmless when it is gone.

    What cannot be removed does not keep the rest from going.
    """
    try:
        _core.tree_remove(path)
    except OSError as error:
        return [error]
    return []
