"""cp and export: files in and out of a container, as tar archives.

A path in a container is only ever looked up by the kernel inside the container's root (``open_in_root``), so
no link in it leads outside, whatever happens to it meanwhile. Of a running container we see what it sees.
Of a stopped one we open its root file system, or the volume or bind that the path lies in.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from contextlib import ExitStack

from pyctr import _core
from pyctr.engine.clock import utc
from pyctr.engine.container.rootfs import opened
from pyctr.engine.failing import Failing
from pyctr.engine.state import LIVE
from pyctr.errors import Forbidden, InvalidParameter, NotFound, SystemFailure
from pyctr.store.locks import DirLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.spec.points import Point
    from pyctr.store.containers import Row

# Go's os.FileMode, in which docker tells modes.
_GO_KINDS = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
}
_GO_BITS = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}
_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


def archive_stat(core: Core, ref: str, path: str) -> t.PathStat:
    """``HEAD /containers/{id}/archive``."""
    with _Tree(core, core.container(ref), path) as tree:
        return _stat(tree, path)


def archive_get(core: Core, ref: str, path: str, fd: int) -> t.PathStat:
    """``GET /containers/{id}/archive``. Of ``/`` or ``DIR/.`` the archive has the contents alone."""
    with _Tree(core, core.container(ref), path) as tree:
        found = _stat(tree, path)
        contents = path.endswith("/.") or posixpath.normpath(path) in ("/", "//", ".")
        name = b"" if contents else os.fsencode(posixpath.basename(posixpath.normpath(path)))
        with Failing(f"archive {path} of container {ref}"):
            hollow = _own_places(core, tree.row, posixpath.normpath("/" + path), name)
            _core.layer_pack(tree.root, os.fsencode(tree.path), fd, name=name, hollow=hollow)
        core.note(tree.row, "archive-path")
        return found


def archive_put(
    core: Core, ref: str, path: str, fd: int, *, keep_kinds: bool = False, copy_owner: bool = False
) -> None:
    """``PUT /containers/{id}/archive``."""
    with _Tree(core, core.container(ref), path, writable=True) as tree:
        directory = tree.open(follow=True)
        try:
            if not stat.S_ISDIR(os.fstat(directory).st_mode):
                raise InvalidParameter(f"extraction point is not a directory: {path}")
        finally:
            os.close(directory)
        owner = None if copy_owner else (0, 0)
        with Failing(f"unpack into {path} of container {ref}"):
            _core.layer_apply(
                fd,
                tree.root,
                base=os.fsencode(tree.path),
                whiteouts="keep",
                owner=owner,
                keep_kinds=keep_kinds,
            )
        core.note(tree.row, "extract-to-dir")


def export(core: Core, ref: str, fd: int) -> None:
    """``GET /containers/{id}/export``: its own files, without volumes."""
    row = core.container(ref)
    with ExitStack() as stack:
        running = row.state in LIVE
        if not running:
            stack.enter_context(DirLock(core.paths.container(row.id)))
        root = stack.enter_context(opened(core, row.id, running=running))
        with Failing(f"export container {ref}"):
            _core.layer_pack(root, b"", fd, hollow=_own_places(core, row, "/", b""))
    core.note(row, "export")


def _own_places(core: Core, row: Row, top: str, name: bytes) -> list[bytes]:
    """What an archive of ``top`` calls our own directories, which the image host has and does not show.

    Nothing is read there: an overlay lies in them that cannot show itself.
    """
    if not core.document(row).get("HostImage"):
        return []
    from pyctr.image.host import masked

    prefix = "/" + top.strip("/")
    below = prefix.rstrip("/") + "/"
    rest = [path[len(below) :] for path in masked(core.paths) if f"{path}/".startswith(below)]
    return [b"/".join(part for part in (name, os.fsencode(path)) if part) for path in rest]


def _stat(tree: _Tree, path: str) -> t.PathStat:
    fd = tree.open(follow=path.endswith(("/", "/.")))
    try:
        found = os.fstat(fd)
        target = os.readlink("", dir_fd=fd) if stat.S_ISLNK(found.st_mode) else ""
    finally:
        os.close(fd)
    return {
        "name": posixpath.basename(posixpath.normpath(path)) or "/",
        "size": found.st_size,
        "mode": go_mode(found.st_mode),
        "mtime": utc(found.st_mtime_ns),
        "linkTarget": target,
    }


def go_mode(mode: int) -> int:
    """A file's mode as Go's os.FileMode has it."""
    bits = sum(go for unix, go in _GO_BITS.items() if mode & unix)
    return mode & 0o777 | _GO_KINDS.get(stat.S_IFMT(mode), 0) | bits


class _Tree:
    """``with _Tree(…)``: an open directory ``root`` and a ``path`` in it that mean a container's path."""

    def __init__(self, core: Core, row: Row, path: str, *, writable: bool = False) -> None:
        self.row = row
        self.root = -1
        self.path = posixpath.normpath("/" + path).lstrip("/")
        self._core = core
        self._asked = path
        self._writable = writable
        self._stack = ExitStack()

    def __enter__(self) -> _Tree:
        self._check_writable()
        with self._stack:
            if self.row.state in LIVE:
                self._hold(f"/proc/{self.row.pid}/root")
            else:
                self._stack.enter_context(DirLock(self._core.paths.container(self.row.id)))
                self._open_stopped()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _hold(self, path: str) -> None:
        with Failing(f"open {path}"):
            self.root = os.open(path, _DIRECTORY)
        self._stack.callback(os.close, self.root)

    def _hold_subpath(self, point: Point) -> None:
        from pyctr.engine.volume.attach import open_subpath

        self.root = open_subpath(point)
        self._stack.callback(os.close, self.root)
        if not stat.S_ISDIR(os.fstat(self.root).st_mode):
            raise InvalidParameter(f"cannot reach {self._asked}: it is a single file of a volume")

    def open(self, *, follow: bool) -> int:
        """The path itself, or what it links to."""
        try:
            return _core.open_in_root(
                self.root, os.fsencode(self.path), os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
            )
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                what = f"could not find the file {self._asked} in container {self.row.name}"
                raise NotFound(what) from None
            what = f"cannot open {self._asked}: {error.strerror}"
            raise SystemFailure(what, errno=error.errno or 0) from None

    def _point(self) -> Point | None:
        """The mount point that the path is, or is below of."""
        path = "/" + self.path
        found: list[Point] = [
            point
            for point in self._core.document(self.row)["Points"]
            if path == point["Destination"] or path.startswith(point["Destination"] + "/")
        ]
        return max(found, key=lambda point: len(point["Destination"]), default=None)

    def _check_writable(self) -> None:
        if not self._writable:
            return
        point = self._point()
        if point is not None and not point["RW"]:
            raise Forbidden(f"mounted volume is marked read-only: {point['Destination']}")
        if point is None and self._core.document(self.row)["HostConfig"].get("ReadonlyRootfs"):
            raise Forbidden("container rootfs is marked read-only")

    def _open_stopped(self) -> None:
        point = self._point()
        if point is None or point["Type"] == "tmpfs":
            self.root = self._stack.enter_context(opened(self._core, self.row.id))
            return
        if point.get("Subpath"):
            self._hold_subpath(point)
        elif os.path.isdir(point["Source"]):
            self._hold(point["Source"])
        else:
            raise InvalidParameter(f"cannot reach {self._asked}: it is a single file on the host")
        self.path = ("/" + self.path)[len(point["Destination"]) :].lstrip("/")
