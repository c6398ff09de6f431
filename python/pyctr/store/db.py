"""The database: one SQLite file in WAL mode, one connection a thread, none carried across a fork.

Reads never wait for writers. A write is one statement, or several under ``write()``, which begins IMMEDIATE
so that it waits for its turn instead of failing half way.
"""

from __future__ import annotations

import os
from _thread import _local, allocate_lock

from pyctr.errors import DamagedStore, SystemFailure, Unavailable
from pyctr.store.sqlite import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Any

    from pyctr.store.paths import Paths

VERSION = 1
"""Of the tables in ``schema.py``."""
BUSY_SECONDS = 60
# Pages in the write-ahead log before a commit folds it into the file. The first process to open the store
# after nobody had it open reads all of them, so small is fast; folding costs two fsyncs, so not too small.
CHECKPOINT_PAGES = 400
RESERVE_BYTES = 1 << 20
SQLITE_ERROR, SQLITE_FULL, SQLITE_CORRUPT, SQLITE_NOTADB = 1, 13, 11, 26
SQLITE_BUSY, SQLITE_IOERR, SQLITE_CANTOPEN = 5, 10, 14

FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What a statement may raise; the latter when a damaged name is part of SQLite's message."""

# What a fork leaves behind: closing another process's connection would drop that process's file locks.
_abandoned: list[object] = []


class _Slot(_local):
    """One thread's connection, and the process it belongs to."""

    connection: sqlite3.Connection | None = None
    pid = 0
    repairs = 0


class Database:
    """The store's database; safe to share between threads. Nothing is opened before the first statement."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._slot = _Slot()
        self._guard = allocate_lock()
        self._connections: list[sqlite3.Connection] = []
        self._repairs = 0
        self.warn: Callable[[str], None] | None = None
        """Who is told that the file was damaged and what became of it; else Python's warnings are."""

    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        slot = self._slot
        if slot.connection is not None:
            if slot.pid != os.getpid():
                _abandoned.append((slot.connection, self._connections))
                self._connections = []
            elif slot.repairs == self._repairs:
                return slot.connection
            slot.connection = None
        connection = self._open()
        slot.connection, slot.pid, slot.repairs = connection, os.getpid(), self._repairs
        return connection

    def rows(self, sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        values = tuple(values)
        found: list[tuple[Any, ...]] = self._read(
            lambda connection: connection.execute(sql, values).fetchall()
        )
        return found

    def row(self, sql: str, values: Iterable[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        values = tuple(values)
        found: tuple[Any, ...] | None = self._read(
            lambda connection: connection.execute(sql, values).fetchone()
        )
        return found

    def _read(self, query: Callable[[sqlite3.Connection], Any]) -> Any:
        connection = self.connection()
        try:
            return query(connection)
        except FAILURES as error:
            if not self._repaired(error, connection):
                raise self._explain(error) from error
        try:
            return query(self.connection())
        except FAILURES as error:
            raise self._explain(error) from error

    def execute(self, sql: str, values: Iterable[Any] = ()) -> int:
        """One statement that changes something, all or nothing; gives the number of rows it touched.

        Inside ``write()`` it is part of that transaction. UniqueViolation when a key is taken.
        """
        values = tuple(values)
        connection = self.connection()
        try:
            return connection.execute(sql, values).rowcount
        except sqlite3.IntegrityError as error:
            raise UniqueViolation(str(error)) from error
        except FAILURES as error:
            room = not connection.in_transaction and self._made_room(error)
            if not room and not self._repaired(error, connection):
                raise self._explain(error) from error
        try:
            return self.connection().execute(sql, values).rowcount
        except FAILURES as error:
            raise self._explain(error) from error

    def write(self) -> Transaction:
        """``with db.write():`` several statements, all or nothing."""
        return Transaction(self)

    def close(self) -> None:
        """Close every connection of this process."""
        with self._guard:
            connections, self._connections = self._connections, []
        if self._slot.pid not in (0, os.getpid()):
            _abandoned.append(connections)
            return
        for connection in connections:
            connection.close()
        self._slot = _Slot()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
        except FAILURES as error:
            # The usual reason is that there is no store yet; a full disk comes next.
            if _code(error) == SQLITE_CANTOPEN and not os.path.exists(self.paths.meta):
                self.paths.prepare()
            elif not self._made_room(error) and not self._repaired(error):
                raise self._explain(error) from error
            try:
                connection = self._connect()
            except FAILURES as again:
                raise self._explain(again) from again
        with self._guard:
            self._connections.append(connection)
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection: sqlite3.Connection = sqlite3.connect(
            self.paths.meta, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != VERSION:
                self._migrate(connection, version)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection, version: int) -> None:
        if version == 0 and self._is_in_use():
            raise _Empty("it is empty, and the store is not")
        if version > VERSION:
            raise Unavailable(
                f"cannot use the store {self.paths.root}: a newer pyctr wrote it (format {version})"
            )
        from pyctr.store.schema import SCHEMA

        self.paths.prepare()
        os.chmod(self.paths.meta, 0o600)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version < VERSION:
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
        self._keep_reserve()

    def _is_in_use(self) -> bool:
        """Whether somebody has made a container or a volume here."""
        try:
            return any(map(os.listdir, (self.paths.containers, f"{self.paths.root}/volumes")))
        except OSError:
            return False

    def _keep_reserve(self) -> None:
        """Hold a little of the disk back, so that a full one does not keep anybody from removing things."""
        try:
            fd = os.open(self.paths.reserve, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            os.posix_fallocate(fd, 0, RESERVE_BYTES)
        except OSError:
            os.unlink(self.paths.reserve)
        finally:
            os.close(fd)

    def _made_room(self, error: Exception) -> bool:
        """Spend the reserve when the disk is full; says whether trying again makes sense."""
        if _code(error) not in (SQLITE_FULL, SQLITE_IOERR, SQLITE_CANTOPEN):
            return False
        try:
            os.unlink(self.paths.reserve)
        except OSError:
            return False
        return True

    def _repaired(self, error: Exception, connection: sqlite3.Connection | None = None) -> bool:
        """Have the file replaced if it is damaged; says whether to try again, which a transaction cannot."""
        if not _is_suspicious(error):
            return False
        from pyctr.store.damage import NotDamaged, repair

        try:
            done = repair(self.paths)
        except NotDamaged:
            done = ""  # or not any more: somebody else was faster, and our connection is to the old file
        self._repairs += 1
        if done and self.warn is not None:
            self.warn(done)
        elif done:
            import warnings

            warnings.warn(done, RuntimeWarning, stacklevel=2)
        return connection is None or not connection.in_transaction

    def _explain(self, error: Exception) -> DamagedStore | SystemFailure | Unavailable:
        path, code = self.paths.meta, _code(error)
        if code in (SQLITE_CORRUPT, SQLITE_NOTADB):
            return DamagedStore(f"cannot use {path}, which was damaged: {error}", hint="try again")
        if code == SQLITE_BUSY:
            return Unavailable(
                f"cannot write {path}: another process holds it for more than {BUSY_SECONDS} s"
            )
        if code == SQLITE_FULL:
            return SystemFailure(f"cannot write {path}: no space left on device", errno=28)
        if code == SQLITE_CANTOPEN and os.geteuid() != 0:
            hint = "run as root, or choose a store you own with --root and --run-root"
            return SystemFailure(f"cannot open {path}: permission denied", errno=13, hint=hint)
        return SystemFailure(f"cannot use {path}: {error}")


class _Empty(sqlite3.DatabaseError):
    """What SQLite does not think an error: the file is empty or gone while the store is not."""

    sqlite_errorcode = SQLITE_NOTADB


class UniqueViolation(Exception):
    """A key or name exists already; callers turn it into a Conflict that names what is taken."""


class Transaction:
    """Several statements as one. Rolls back when the block raises. Inside another one it is part of that."""

    __slots__ = ("_db", "_inner")

    def __init__(self, db: Database) -> None:
        self._db = db
        self._inner = False

    def __enter__(self) -> None:
        self._inner = self._db.connection().in_transaction
        if not self._inner:
            self._db.execute("BEGIN IMMEDIATE")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._inner:
            return
        connection = self._db.connection()
        if kind is None:
            self._db.execute("COMMIT")
        elif connection.in_transaction:
            connection.execute("ROLLBACK")


def _is_suspicious(error: Exception) -> bool:
    """Whether the file may be damaged: SQLite says so, misses a table, or gives text that is none."""
    return _code(error) in (SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_ERROR) or "decode" in str(error)


def _code(error: Exception) -> int:
    """SQLite's primary result code."""
    code: int = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF
