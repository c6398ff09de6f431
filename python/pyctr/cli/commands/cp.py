"""``pyctr cp``."""

from __future__ import annotations

import os
import stat
from errno import EPIPE

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.copying import (
    DIRECTORY_BIT,
    SYMLINK_BIT,
    Side,
    means_contents,
    plan,
    split_argument,
    split_path,
)
from pyctr.cli.values import BOOL
from pyctr.errors import InvalidParameter, NotFound, PyctrError, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    (source_container, source), (container, destination) = map(split_argument, parsed.arguments)
    if source_container and container:
        raise InvalidParameter("copying between containers is not supported")
    if not source_container and not container:
        raise InvalidParameter("must specify at least one container source")
    if not source:
        raise InvalidParameter("source can not be empty")
    if not destination:
        raise InvalidParameter("destination can not be empty")
    if source_container:
        _from_container(context, parsed, source_container, source, destination)
    else:
        _to_container(context, parsed, source, container, destination)


def _from_container(context: Context, parsed: Parsed, container: str, path: str, local: str) -> None:
    containers = context.engine.containers
    if local == "-":
        containers.archive_get(container, path, 1)
        return
    found = containers.archive_stat(container, path)
    if parsed["follow-link"] and found["mode"] & SYMLINK_BIT:
        path = _joined(path, found["linkTarget"])
        found = containers.archive_stat(container, path)
    source = Side(path, bool(found["mode"] & DIRECTORY_BIT))
    where = plan(source, _local_side(local))
    from pyctr.cli.unpacking import unpack

    with _Pipe(lambda fd: containers.archive_get(container, path, fd)) as archive:
        unpack(archive, where, split_path(path)[1], found["mode"] & 0o777, keep_owner=parsed["archive"])
    _tell(context, parsed, local)


def _to_container(context: Context, parsed: Parsed, local: str, container: str, path: str) -> None:
    containers = context.engine.containers
    destination = _remote_side(context, container, path)
    if local == "-":
        if not destination.is_directory:
            raise InvalidParameter(f'destination "{container}:{path}" must be a directory')
        containers.archive_put(container, destination.path, 0, keep_kinds=True, copy_owner=parsed["archive"])
        return
    found = _local_stat(local, follow=parsed["follow-link"] or local.endswith("/"))
    where = plan(Side(local, stat.S_ISDIR(found.st_mode)), destination)
    with _Pipe(lambda fd: _pack(local, where.name, fd, parsed["follow-link"])) as archive:
        containers.archive_put(container, where.into, archive, keep_kinds=True, copy_owner=parsed["archive"])
    _tell(context, parsed, f"{container}:{path}")


def _joined(path: str, target: str) -> str:
    return target if target.startswith("/") else os.path.join(os.path.dirname(path), target)


def _local_side(path: str) -> Side:
    """Return what is at a path of ours, links followed."""
    try:
        return Side(path, stat.S_ISDIR(os.stat(path).st_mode))
    except FileNotFoundError:
        pass
    except OSError as problem:
        raise _failure("stat", path, problem) from None
    parent = split_path(path)[0] or "."
    if not os.path.isdir(parent):
        raise NotFound(f"invalid output path: directory {parent} does not exist")
    return Side(path, None)


def _local_stat(path: str, *, follow: bool) -> os.stat_result:
    try:
        return os.stat(path, follow_symlinks=follow or means_contents(path))
    except OSError as problem:
        raise _failure("lstat", path, problem) from None


def _remote_side(context: Context, container: str, path: str) -> Side:
    """Return what is at a path of the container's, a link at its end followed."""
    containers = context.engine.containers
    try:
        found = containers.archive_stat(container, path)
        if found["mode"] & SYMLINK_BIT:
            path = _joined(path, found["linkTarget"])
            found = containers.archive_stat(container, path)
    except NotFound:
        containers.inspect(container)  # if it is the container that is not there, say so
        return Side(path, None)
    return Side(path, bool(found["mode"] & DIRECTORY_BIT))


def _pack(path: str, name: str, fd: int, follow: bool) -> None:
    """Write the archive of a path of ours, under another name if one is given."""
    from pyctr import _core

    parent, base = split_path(os.path.realpath(path) if follow else os.path.abspath(path))
    contents = means_contents(path)
    if contents:
        parent, base = os.path.abspath(path), "."
    shown = name if name or contents else base
    top = os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _core.layer_pack(top, os.fsencode(base), fd, name=os.fsencode(shown))
    except OSError as problem:
        raise _failure("copy", path, problem) from None
    finally:
        os.close(top)


class _Pipe:
    """Runs ``write(fd)`` in a thread while the ``with`` reads what it writes from the descriptor it gets.

    When the reader fails, the writer's failure, a broken pipe, says nothing new; otherwise it counts.
    """

    def __init__(self, write: Callable[[int], object]) -> None:
        self.write = write
        self.problem: BaseException | None = None

    def __enter__(self) -> int:
        import threading

        self.reader, self.writer = os.pipe()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self.reader

    def _run(self) -> None:
        try:
            self.write(self.writer)
        except (PyctrError, OSError, ValueError) as problem:
            self.problem = problem
        finally:
            os.close(self.writer)

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        os.close(self.reader)
        self.thread.join()
        if self.problem is not None and (kind is None or self._is_news()):
            raise self.problem

    def _is_news(self) -> bool:
        """Whether the writer failed by itself, and not because the reader had."""
        return isinstance(self.problem, PyctrError) and getattr(self.problem, "errno", 0) != EPIPE


def _failure(what: str, path: str, problem: OSError) -> PyctrError:
    reason = (problem.strerror or "failed").lower()
    if isinstance(problem, FileNotFoundError):
        return NotFound(f"{what} {path}: {reason}")
    return SystemFailure(f"{what} {path}: {reason}", errno=problem.errno or 0)


def _tell(context: Context, parsed: Parsed, where: str) -> None:
    from pyctr.cli.terminal import is_terminal

    if not parsed["quiet"] and is_terminal(1):
        context.note(f"Successfully copied to {where}")


COMMAND = Command(
    "cp",
    "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n[OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    "Copy files/folders between a container and the local filesystem",
    run=run,
    options=(
        Option("archive", "a", BOOL, "Archive mode (copy all uid/gid information)"),
        Option("follow-link", "L", BOOL, "Always follow symbol link in SRC_PATH"),
        Option("quiet", "q", BOOL, "Suppress what is said after a copy to a terminal"),
    ),
    least=2,
    most=2,
    aliases=("container cp",),
    complete="containers",
)
