"""Read rows out of a damaged SQLite file, page by page, whatever of it is still there.

Every table of ours is WITHOUT ROWID, so its rows are cells of index B-tree pages, and each such page can be
read by itself: neither the header nor the schema nor the tree above it need to be whole. What is on a page
that the list of free pages names is not read: those are rows of the past.
See https://sqlite.org/fileformat2.html.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Value = str | int | float | bytes | None

PAGE_BYTES = 4096
"""What SQLite takes unless told otherwise, for a file whose header is gone."""
INTERIOR, LEAF = 2, 10
"""The first byte of an index B-tree page."""
MAX_PAYLOAD = 64 << 20


def rows(database: bytes, log: bytes) -> Iterator[list[Value]]:
    """The cells of all pages of a database and its write-ahead log; those of indexes are among them."""
    pages = Pages(database, log)
    for number in sorted(pages.found - pages.free()):
        page = pages.get(number)
        for start in _cells(page):
            try:
                yield _record(pages.payload(page, start + (4 if page[0] == INTERIOR else 0)))
            except (IndexError, ValueError):
                continue


class Pages:
    """The newest version of every page."""

    def __init__(self, database: bytes, log: bytes) -> None:
        size = int.from_bytes(database[16:18], "big")
        self.size = size if size in (512, 1024, 2048, 4096, 8192, 16384, 32768) else PAGE_BYTES
        self._database = database
        self._log = log
        self._logged = self._committed()
        self.found = {*range(1, len(database) // self.size + 1), *self._logged}

    def get(self, number: int) -> bytes:
        """The page with that number, the first being 1; IndexError when it is not there."""
        if number not in self.found:
            raise IndexError(number)
        if number in self._logged:
            start = self._logged[number]
            return self._log[start : start + self.size]
        return self._database[(number - 1) * self.size : number * self.size]

    def free(self) -> set[int]:
        """The pages that hold nothing any more: a chain of lists, each on a page of its own."""
        free: set[int] = set()
        try:
            trunk = _number(self.get(1), 32)
            while trunk in self.found and trunk not in free:
                page = self.get(trunk)
                count = min(_number(page, 4), self.size // 4 - 2)
                free |= {trunk, *(_number(page, 8 + 4 * index) for index in range(count))}
                trunk = _number(page, 0)
        except IndexError:
            return set()
        return free

    def payload(self, page: bytes, start: int) -> bytes:
        """What a cell holds, with what it has on overflow pages, as far as they can be followed."""
        length, start = _varint(page, start)
        if not 0 < length <= MAX_PAYLOAD:
            raise ValueError(length)
        most, least = (self.size - 12) * 64 // 255 - 23, (self.size - 12) * 32 // 255 - 23
        local = length
        if length > most:
            local = least + (length - least) % (self.size - 4)
            local = local if local <= most else least
        data = bytearray(page[start : start + local])
        following = _number(page, start + local) if length > local else 0
        seen: set[int] = set()
        while len(data) < length and following in self.found and following not in seen:
            seen.add(following)
            more = self.get(following)
            data += more[4 : 4 + length - len(data)]
            following = _number(more, 0)
        return bytes(data)

    def _committed(self) -> dict[int, int]:
        """Where in the log the newest version of a page is, of those written before the last commit."""
        log = self._log
        found: dict[int, int] = {}
        pending: dict[int, int] = {}
        for start in range(32, len(log) - 24 - self.size + 1, 24 + self.size):
            if log[start + 8 : start + 16] != log[16:24]:  # of an earlier use of the log
                break
            pending[_number(log, start)] = start + 24
            if _number(log, start + 4):
                found |= pending
        return found


def _cells(page: bytes) -> list[int]:
    """Where the cells of an index page begin; nothing for any other page."""
    if len(page) < 12 or page[0] not in (INTERIOR, LEAF):
        return []
    head = 12 if page[0] == INTERIOR else 8
    count = min(int.from_bytes(page[3:5], "big"), (len(page) - head) // 2)
    pointers = (int.from_bytes(page[at : at + 2], "big") for at in range(head, head + 2 * count, 2))
    return [pointer for pointer in pointers if head < pointer < len(page)]


def _record(data: bytes) -> list[Value]:
    """The values of a record; what its bytes do not reach to is None, or cut."""
    end, at = _varint(data, 0)
    if end > len(data):
        raise ValueError(end)
    values: list[Value] = []
    body = end
    while at < end:
        kind, at = _varint(data, at)
        size = (kind - 12) // 2 if kind >= 12 else (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)[kind]
        values.append(_value(kind, data[body : body + size]))
        body += size
    return values


def _value(kind: int, data: bytes) -> Value:
    if kind >= 12:
        return data.decode(errors="replace") if kind % 2 else data
    if kind in (8, 9):
        return kind - 8
    return int.from_bytes(data, "big", signed=True) if 0 < kind < 7 else None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """SQLite's variable-length integer, and where it ends."""
    value = 0
    for index in range(8):
        byte = data[at + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value << 8 | data[at + 8], at + 9


def _number(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise IndexError(at)
    return int.from_bytes(data[at : at + 4], "big")
