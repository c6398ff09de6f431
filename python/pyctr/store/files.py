"""Files: write one whole, remove a tree whatever it holds. Nothing here follows a symbolic link."""

from __future__ import annotations

import errno
import os

from pyctr.store import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyctr.store.paths import Paths

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
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

    A container decides how deep its directories go, so nothing here recurses: directories in directories are
    moved to the top until there are none.
    """
    errors: list[OSError] = []
    try:
        top = os.open(path, _DIRECTORY)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):  # a file or a link
            _attempt(errors, os.unlink, path)
        elif error.errno != errno.ENOENT:
            errors.append(error)
        return errors
    try:
        pending = _sweep(top, top, errors)
        while pending and not errors:
            for name in pending:
                _attempt(errors, _flatten, name, top, errors)
            pending = _sweep(top, top, errors)
    finally:
        os.close(top)
    _attempt(errors, os.rmdir, path)
    return errors


def _sweep(fd: int, top: int, errors: list[OSError]) -> list[str]:
    """Remove files and empty directories from ``fd``; gives the directories that are left.

    Unless ``fd`` is ``top``, those are moved there, and none is left.
    """
    with os.scandir(fd) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    left = []
    for name, is_directory in found:
        if not is_directory:
            _attempt(errors, os.unlink, name, dir_fd=fd)
        elif not _attempt([], os.rmdir, name, dir_fd=fd):
            left.append(name)
    if fd == top:
        return left
    for name in left:
        away = os.urandom(8).hex()
        _attempt(errors, os.rename, name, away, src_dir_fd=fd, dst_dir_fd=top)
    return []


def _flatten(name: str, top: int, errors: list[OSError]) -> None:
    """Empty one directory of ``top``, moving what is nested in it up."""
    fd = os.open(name, _DIRECTORY, dir_fd=top)
    try:
        _sweep(fd, top, errors)
    finally:
        os.close(fd)


def _attempt(errors: list[OSError], call: Callable[..., None], *arguments: Any, **options: Any) -> bool:
    """Call, and note the error unless it is that the thing is gone already; says whether it is gone."""
    try:
        call(*arguments, **options)
    except FileNotFoundError:
        return True
    except OSError as error:
        errors.append(error)
        return False
    return True
