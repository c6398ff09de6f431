"""What happened, one JSON document a line, in a file that is turned over before it grows large.

Writing is one ``write`` on a file opened for appending, so lines of different processes never mix. A journal
that cannot be written (a full disk) loses the event, never the operation.
"""

from __future__ import annotations

import fcntl
import os
import time
from _thread import allocate_lock

from pyctr.store.json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyctr.engine.types import Event

MAX_BYTES = 1 << 20
"""One file of the two that are kept: this one, and the one before it under ``.1``."""


class Journal:
    """The journal of one store; safe to share between threads."""

    __slots__ = ("_fd", "_guard", "_path", "_pid")

    def __init__(self, path: str) -> None:
        self._path = path
        # Else one thread could close the file, and another's line land in whatever got its number.
        self._guard = allocate_lock()
        self._fd = -1
        self._pid = 0

    def write(self, kind: str, action: str, id: str, attributes: dict[str, str], at: int = 0) -> None:
        """Note an event: ``container``, ``start``, its id, and its attributes; ``at`` in ns, 0 for now."""
        nano = at or time.time_ns()
        event: Event = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": id, "Attributes": attributes},
            "scope": "local",
            "time": nano // 1_000_000_000,
            "timeNano": nano,
        }
        line = dumps(event).encode()
        with self._guard:
            try:
                fd = self._open()
                os.write(fd, line + b"\n")
                if os.lseek(fd, 0, os.SEEK_CUR) > MAX_BYTES:
                    self._turn_over(fd)
            except OSError:
                self._close()

    def read(self) -> Iterator[Event]:
        """Everything that is still there, oldest first. A damaged line is skipped."""
        for path in (self._path + ".1", self._path):
            try:
                with open(path, "rb") as file:
                    yield from _events(file.read())
            except FileNotFoundError:
                continue

    def follow(self) -> Iterator[Event | None]:
        """What is noted from now on; None whenever there is nothing new, for the caller to wait."""
        position = Position(self._path)
        while True:
            data = position.read()
            if data:
                yield from _events(data)
            else:
                yield None

    def close(self) -> None:
        with self._guard:
            self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0 and self._pid == os.getpid():
            os.close(fd)

    def _open(self) -> int:
        if self._fd < 0 or self._pid != os.getpid():
            self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._pid = os.getpid()
        return self._fd

    def _turn_over(self, fd: int) -> None:
        """Put the full file aside, unless somebody else has done it already."""
        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(fd), os.stat(self._path)):
                os.rename(self._path, self._path + ".1")
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)
        self._close()


class Position:
    """A reader's place at the end of the journal, kept across a turn-over."""

    __slots__ = ("_file", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = open(path, "ab+")  # noqa: SIM115 - it lives as long as the reader
        self._file.seek(0, os.SEEK_END)

    def read(self) -> bytes:
        """The whole lines that were added."""
        data = self._lines()
        if data:
            return data
        try:
            if os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._path)):
                return b""
        except FileNotFoundError:
            return b""
        self._file.close()
        self._file = open(self._path, "rb")  # type: ignore[assignment]  # noqa: SIM115
        return self._lines()

    def _lines(self) -> bytes:
        start = self._file.tell()
        data = self._file.read()
        end = data.rfind(b"\n") + 1
        if end < len(data):
            self._file.seek(start + end)
        return data[:end]


def _events(data: bytes) -> Iterator[Event]:
    for line in data.splitlines():
        try:
            event: Event = loads(line)
            if event["timeNano"] and event["Actor"]["ID"] is not None:
                yield event
        except (ValueError, KeyError, TypeError):
            continue
