"""What an engine can do, as documents: the one interface the command line, the Python API and a daemon share.

An implementation takes and gives the Docker Engine API's documents (``engine/types.py``). The embedded one
is ``engine.local.LocalEngine``, opened by ``pyctr.engine.connect()``; an HTTP client can implement the same.

Where a method takes ``id`` it takes what a user may type: a full id, a unique prefix of one, or a name.
Every method raises only ``pyctr.errors.PyctrError`` and its children. All are safe to call from many threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from pyctr.engine import types as t

WaitCondition = Literal["not-running", "next-exit", "removed"]


class Session(Protocol):
    """A conversation with a running process: what ``run``, ``attach`` and ``exec`` hold.

    Written for one poll loop: wait until ``fileno()`` is readable, then take everything with ``receive()``
    until ``ended``. ``write`` may be called from that loop too; it never blocks for long.
    """

    warnings: list[str]
    """What the engine had to give way on, for the user to see."""
    pid: int
    """The process's pid as the host sees it; 0 when not known."""
    exit_code: int | None
    """Set with ``ended`` when the process ended; None when only the connection did."""

    @property
    def ended(self) -> bool:
        """The process ended or the connection broke, and all its output has been received."""

    @property
    def pending(self) -> bool:
        """Something is left to send: poll for writability too, and call ``receive`` then."""

    def fileno(self) -> int: ...

    def receive(self) -> list[tuple[int, bytes]]:
        """``(1, stdout)`` and ``(2, stderr)`` pieces that have arrived, if any; never blocks."""

    def write(self, data: bytes) -> int:
        """Send standard input; gives how many bytes were taken: 0 when the container does not read.

        Wait for writability of ``fileno()`` before sending the rest, receiving in the meantime.
        """

    def close_stdin(self) -> None:
        """End of standard input."""

    def resize(self, rows: int, cols: int) -> None: ...

    def signal(self, number: int) -> None:
        """Send a signal to the process at the other end."""

    def wait(self) -> int:
        """Discard output until the process ends; gives its exit code. Finishes ``--rm``."""

    def close(self) -> None:
        """Let go. The process lives on (detach). Harmless when done twice."""


class Containers(Protocol):
    """Containers, one method a verb."""

    def create(self, body: t.CreateBody, name: str | None = None) -> t.CreateReply:
        """Make a container from an image. ImageNotFound, Conflict (name in use), InvalidParameter."""

    def start(self, id: str, *, attach: bool = False) -> Session | None:
        """Start it. With ``attach`` gives the session it is born with, so that no byte is missed.

        The session takes input if the container was made with OpenStdin. StartFailure (exit_code 125, 126,
        127); NotModified when it already runs.
        """

    def run(
        self, body: t.CreateBody, name: str | None = None, *, attach: bool = True
    ) -> tuple[str, list[str], Session | None]:
        """Create and start in one go: ``(id, warnings, session)``; session is None when not attached.

        What cannot be started stays, *created*, unless ``HostConfig.AutoRemove`` is set.
        A StartFailure carries the new id in ``container_id`` and the create warnings in ``warnings``.
        """

    def stop(self, id: str, *, timeout: int | None = None, signal: str | None = None) -> None:
        """Signal, wait ``timeout`` seconds (-1: for ever; None: the container's own or 10), then SIGKILL.

        NotModified when it does not run.
        """

    def restart(self, id: str, *, timeout: int | None = None, signal: str | None = None) -> None: ...

    def kill(self, id: str, signal: str = "SIGKILL") -> None:
        """``signal``: ``KILL``, ``SIGKILL`` or ``9``. Conflict when it does not run."""

    def pause(self, id: str) -> None: ...

    def unpause(self, id: str) -> None: ...

    def wait(self, id: str, condition: WaitCondition = "not-running") -> t.WaitReply:
        """Block until the condition holds."""

    def list(
        self, *, all: bool = False, filters: t.Filters | None = None, limit: int = 0, size: bool = False
    ) -> list[t.ContainerSummary]:
        """Newest first. Filters: id name label status ancestor before since volume network exited health."""

    def inspect(self, id: str, *, size: bool = False) -> t.ContainerInspect: ...

    def logs(
        self,
        id: str,
        *,
        stdout: bool = True,
        stderr: bool = True,
        follow: bool = False,
        since: str | None = None,
        until: str | None = None,
        timestamps: bool = False,
        tail: int | None = None,
        details: bool = False,
    ) -> Iterator[tuple[int, bytes]]:
        """``(1 or 2, line)`` in order, newline included where the program wrote one.

        ``since``/``until``: RFC 3339, a Unix time, or a duration back from now (``10m``). ``timestamps`` and
        ``details`` put their prefix before the line. ``tail`` None means all of it.
        """

    def attach(
        self, id: str, *, stdin: bool = False, stdout: bool = True, stderr: bool = True, logs: bool = False
    ) -> Session:
        """Join the streams of a running container. Conflict when it does not run or is paused."""

    def resize(self, id: str, rows: int, cols: int) -> None: ...

    def top(self, id: str, ps_args: str = "") -> t.TopReply:
        """``ps`` of the container's processes with the host's pids; ``ps_args`` default ``-ef``."""

    def stats(self, id: str, *, stream: bool = True, one_shot: bool = False) -> Iterator[t.Json]:
        """Docker's stats documents, one a second while ``stream``; ends when the container is gone."""

    def rename(self, id: str, name: str) -> None: ...

    def remove(self, id: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        """Conflict when it runs and ``force`` is not set; ``volumes`` takes its anonymous volumes along."""

    def update(self, id: str, body: t.UpdateBody) -> t.UpdateReply: ...

    def changes(self, id: str) -> t.Changes: ...

    def archive_stat(self, id: str, path: str) -> t.PathStat: ...

    def archive_get(self, id: str, path: str, fd: int) -> t.PathStat:
        """Write a tar archive of ``path`` to ``fd``; its entries start with the path's base name.

        Of ``/`` and of ``DIR/.`` it has the contents alone.
        """

    def archive_put(
        self,
        id: str,
        path: str,
        fd: int,
        *,
        keep_kinds: bool = False,
        copy_owner: bool = False,
    ) -> None:
        """Unpack the tar archive read from ``fd`` in the directory ``path``, which must exist.

        ``keep_kinds``: never let a directory replace a file or the reverse (docker's noOverwriteDirNonDir).
        ``copy_owner``: keep the archive's uids and gids, else everything becomes the container user's.
        """

    def export(self, id: str, fd: int) -> None:
        """Write the whole file system as a tar archive to ``fd``."""

    def prune(self, filters: t.Filters | None = None) -> t.PruneReply: ...


class Execs(Protocol):
    """Further processes in a running container."""

    def create(self, id: str, body: t.ExecBody) -> str:
        """The exec's id. Conflict when the container does not run or is paused."""

    def start(self, exec_id: str, *, detach: bool = False) -> Session | None:
        """Start it. StartFailure 126 and 127 as for containers."""

    def run(self, id: str, body: t.ExecBody, *, detach: bool = False) -> Session | None:
        """Create and start at once, without a record that outlives the call: what ``pyctr exec`` does."""

    def inspect(self, exec_id: str) -> t.ExecInspect: ...

    def resize(self, exec_id: str, rows: int, cols: int) -> None: ...


class Volumes(Protocol):
    """Named and anonymous volumes (driver ``local``)."""

    def create(self, body: t.VolumeCreateBody) -> t.Volume:
        """Make one, or give the one that has the name."""

    def list(self, filters: t.Filters | None = None) -> t.VolumeList:
        """Filters: dangling driver label name."""

    def inspect(self, name: str) -> t.Volume: ...

    def remove(self, name: str, *, force: bool = False) -> None:
        """Conflict when a container names it; with ``force`` a missing one is no error."""

    def prune(self, filters: t.Filters | None = None) -> t.PruneReply:
        """Anonymous ones without a container; ``all=true`` in the filters: named ones too."""


class Images(Protocol):
    """Images."""

    def list(
        self, *, all: bool = False, filters: t.Filters | None = None, digests: bool = False
    ) -> list[t.ImageSummary]: ...

    def inspect(self, ref: str) -> t.ImageInspect: ...

    def history(self, ref: str) -> t.History:
        """Docker's HistoryResponseItems, the last step first."""

    def import_(
        self,
        source: int | str,
        *,
        ref: str | None = None,
        changes: Sequence[str] | None = None,
        message: str = "",
        platform: str = "",
    ) -> str:
        """Make an image of one layer from a tar archive, compressed or not; gives its id (``sha256:…``).

        ``source``: an open file, or a path, ``-``, or an http(s) URL. ``changes``: Dockerfile instructions,
        ``CMD ["sh"]``.
        """

    def tag(self, source: str, target: str) -> None: ...

    def remove(self, ref: str, *, force: bool = False, prune: bool = True) -> t.Deleted:
        """``[{"Untagged": ref}, {"Deleted": id}]``, what was done in order."""

    def prune(self, filters: t.Filters | None = None) -> t.PruneReply: ...


class Backend(Protocol):
    """An engine."""

    @property
    def containers(self) -> Containers: ...

    @property
    def execs(self) -> Execs: ...

    @property
    def images(self) -> Images: ...

    @property
    def volumes(self) -> Volumes: ...

    def events(
        self, *, since: str | None = None, until: str | None = None, filters: t.Filters | None = None
    ) -> Iterator[t.Event]:
        """What happened and what happens; ends at ``until`` if it is given."""

    def info(self) -> dict[str, Any]:
        """Docker's SystemInfo, with ``PyctrOciPath`` for other engines' configuration."""

    def version(self) -> dict[str, Any]:
        """Docker's SystemVersion."""

    def disk_usage(self) -> t.DiskUsage:
        """Docker's SystemDataUsageResponse."""

    def close(self) -> None:
        """Let go of everything. A process that ends anyway need not: it only waits for the disk."""
