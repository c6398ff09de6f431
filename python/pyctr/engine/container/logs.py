"""logs: read the json-file log, all of it or its end, and go on while the container lives."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.engine.clock import parse_moment, parse_rfc3339
from pyctr.errors import InvalidParameter, Unsupported
from pyctr.store.json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, BinaryIO

    from pyctr.engine.core import Core

    Entry = dict[str, Any]

FOLLOW_SECONDS = 0.1
BLOCK_BYTES = 64 << 10
STREAMS = {"stdout": 1, "stderr": 2}


def logs(
    core: Core,
    ref: str,
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
    """``GET /containers/{id}/logs``."""
    if not (stdout or stderr):
        raise InvalidParameter("bad parameters: you must choose at least one stream")
    row = core.container(ref)
    document = core.document(row)
    if document["HostConfig"]["LogConfig"]["Type"] == "none":
        raise Unsupported("configured logging driver does not support reading")
    first, last = parse_moment("since", since), parse_moment("until", until) or None
    lock = core.paths.shim_lock(row.id)
    source = LogFile(core.paths.log(row.id))
    lines = source.lines(tail, (lambda: _core.wait_lock(lock, FOLLOW_SECONDS)) if follow else None)
    wanted = {name for name, on in (("stdout", stdout), ("stderr", stderr)) if on}
    return _pieces(
        lines, wanted, first, last, _prefixer(timestamps, attributes(document) if details else None)
    )


def _pieces(
    lines: Iterable[bytes],
    wanted: set[str],
    first: int | None,
    last: int | None,
    prefix: Callable[[Entry], str],
) -> Iterator[tuple[int, bytes]]:
    whole = dict.fromkeys(STREAMS, True)  # whether the stream is at the start of a line
    for line in lines:
        entry = _parse(line)
        if entry is None or entry["stream"] not in wanted:
            continue
        if first is not None or last is not None:
            moment = parse_rfc3339(entry["time"])
            if first is not None and moment < first:
                continue
            if last is not None and moment > last:
                return
        text, stream = entry["log"], entry["stream"]
        start = prefix(entry) if whole[stream] else ""
        whole[stream] = text.endswith("\n")
        yield STREAMS[stream], (start + text).encode("utf-8", "surrogateescape")


def _parse(line: bytes) -> Entry | None:
    """One entry; None for a line that a full disk or a power failure cut."""
    try:
        entry = loads(line)
        if entry["stream"] in STREAMS and isinstance(entry["log"], str) and isinstance(entry["time"], str):
            return entry  # type: ignore[no-any-return]
    except (ValueError, KeyError, TypeError):
        pass
    return None


def attributes(document: Mapping[str, Any]) -> dict[str, str]:
    """What the log options ``labels`` and ``env`` say belongs to every line."""
    config, options = document["Config"], document["HostConfig"]["LogConfig"].get("Config") or {}
    environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
    found = {}
    for option, known in (("labels", config.get("Labels") or {}), ("env", environment)):
        names = str(options.get(option) or "").split(",")
        found.update({name: known[name] for name in names if name in known})
    return found


def _prefixer(timestamps: bool, extra: Mapping[str, str] | None) -> Callable[[Entry], str]:
    """What comes before a line; ``extra`` are the details of all lines, None: none are wanted."""

    def prefix(entry: Entry) -> str:
        time = _padded(entry["time"]) + " " if timestamps else ""
        if extra is None:
            return time
        details = {**extra, **(entry.get("attrs") or {})}
        return time + ",".join(f"{_quoted(key)}={_quoted(details[key])}" for key in sorted(details)) + " "

    return prefix


def _quoted(text: str) -> str:
    """As in the query of a URL, so that every detail stays one word."""
    if text.isascii() and text.isalnum():
        return text
    from urllib.parse import quote_plus

    return quote_plus(text, errors="surrogateescape")


def _padded(time: str) -> str:
    """With all nine digits, so that columns line up."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:<09}Z"


class LogFile:
    """A log and the older files that rotation left: ``.2``, ``.1``, then the current one."""

    def __init__(self, path: str) -> None:
        self._path = path

    def lines(self, tail: int | None, ended: Callable[[], bool] | None) -> Iterator[bytes]:
        """The last ``tail`` lines, or all; then, unless ``ended`` is None, what comes until it says so.

        ``ended`` waits a moment before it says no.
        """
        files = self._open_all()
        try:
            yield from _last(files, tail) if tail is not None else _all(files)
            if ended is not None:
                yield from self._follow(files, ended)
        finally:
            for file in files:
                file.close()

    def _open_all(self) -> list[BinaryIO]:
        files: list[BinaryIO] = []
        paths = [self._path]
        while os.path.exists(f"{self._path}.{len(paths)}"):
            paths.append(f"{self._path}.{len(paths)}")
        for path in reversed(paths):
            try:
                files.append(open(path, "rb"))  # noqa: SIM115 - the caller closes them
            except FileNotFoundError:
                continue
        return files

    def _follow(self, files: list[BinaryIO], ended: Callable[[], bool]) -> Iterator[bytes]:
        over = False
        while True:
            if files:
                yield from _whole_lines(files[-1])
            if (not files or self._turned_over(files[-1])) and self._reopen(files):
                continue
            if over:
                return
            over = ended()  # and once more around, for what was written last

    def _turned_over(self, file: BinaryIO) -> bool:
        try:
            return not os.path.samestat(os.fstat(file.fileno()), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _reopen(self, files: list[BinaryIO]) -> bool:
        try:
            files.append(open(self._path, "rb"))  # noqa: SIM115 - the caller closes them
        except FileNotFoundError:
            return False
        return True


def _all(files: list[BinaryIO]) -> Iterator[bytes]:
    for file in files:
        yield from _whole_lines(file)


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines that are complete; leaves the file before the one that is not."""
    while True:
        position = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(position)
            return
        yield line


def _last(files: list[BinaryIO], count: int) -> Iterator[bytes]:
    """The last ``count`` lines of the files taken together; leaves them at their ends."""
    for index in range(len(files) - 1, -1, -1):
        count -= _seek_back(files[index], count)
        if count <= 0:
            yield from _all(files[index:])
            return
    yield from _all(files)


def _seek_back(file: BinaryIO, count: int) -> int:
    """Go to the start of the ``count``-th line from the end; gives how many lines there are from there."""
    end = file.seek(0, os.SEEK_END)
    if count <= 0:
        return 0
    position, found = end, 0
    while position > 0:
        size = min(BLOCK_BYTES, position)
        position -= size
        file.seek(position)
        block = file.read(size)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            if position + at + 1 == end:
                continue  # the end of the last line
            found += 1
            if found == count:
                file.seek(position + at + 1)
                return count
    file.seek(0)
    return found + (1 if end else 0)
