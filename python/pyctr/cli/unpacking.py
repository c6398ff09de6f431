"""Unpacks what came out of a container on our side, in Rust: the archive is not to be trusted."""

from __future__ import annotations

import os

from pyctr.errors import InvalidParameter, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.copying import Plan


def unpack(archive: int, where: Plan, top: str, mode: int, *, keep_owner: bool) -> None:
    """Unpack an archive whose entries start with ``top`` as ``where`` says; all becomes ours by default.

    ``mode`` are the permissions of what is copied: an archive of a directory's contents does not have them.
    """
    owner = None if keep_owner else (os.geteuid(), os.getegid())
    try:
        if where.name:
            _renamed(archive, where, top, mode, owner)
        else:
            _apply(archive, where.into, owner)
    except OSError as problem:
        reason = str(problem.strerror or problem).lower()
        raise SystemFailure(f"copy to {where.into}: {reason}", errno=problem.errno or 0) from None
    except ValueError as problem:
        raise InvalidParameter(f"copy to {where.into}: {problem}") from None


def _apply(archive: int, directory: str, owner: tuple[int, int] | None) -> None:
    from pyctr import _core

    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _core.layer_apply(archive, fd, whiteouts="keep", owner=owner, keep_kinds=True)
    finally:
        os.close(fd)


def _renamed(archive: int, where: Plan, top: str, mode: int, owner: tuple[int, int] | None) -> None:
    """Unpack beside the destination, then move what came to its name: it is there whole, or not at all."""
    import shutil
    import tempfile

    beside = tempfile.mkdtemp(prefix=".pyctr-cp-", dir=where.into)
    target = os.path.join(where.into, where.name)
    try:
        _apply(archive, beside, owner)
        whole = top in ("", ".", "/")  # then the archive has a directory's contents alone
        if whole:
            os.chmod(beside, mode)
        os.replace(beside if whole else os.path.join(beside, top), target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
