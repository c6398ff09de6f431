"""What is to be done about a damaged database: keep it under another name, and make one from what is left.

Rows come from the pages that can still be read (``salvage.py``), and only where the files they name are
there; what has files and no row gets one that says as much as the files do. Nothing is removed.
"""

from __future__ import annotations

import os
import time

from pyctr.store import files
from pyctr.store.db import FAILURES, VERSION
from pyctr.store.locks import DirLock
from pyctr.store.paths import store_error
from pyctr.store.schema import SCHEMA
from pyctr.store.sqlite import sqlite3

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.store.paths import Paths
    from pyctr.store.remains import Remains

TABLES = ("containers", "volumes", "volume_users", "execs", "images", "image_names", "layers", "image_layers")
SUFFIXES = ("", "-wal", "-shm")


def repair(paths: Paths) -> str:
    """Look whether the database is damaged, and replace it if it is.

    Gives a sentence about what was done, none when somebody else has done it meanwhile. NotDamaged when there
    is nothing to do.
    """
    before = _identity(paths.meta)
    with DirLock(paths.root):
        if _identity(paths.meta) != before:
            return ""
        staging = files.temporary(paths)
        try:
            os.makedirs(staging, 0o700)
            copy = _copy(paths.meta, staging)
            if is_sound(copy):
                raise NotDamaged
            return _replace(paths, staging, copy)
        except OSError as error:
            raise store_error(f"repair {paths.meta}", error) from error
        finally:
            files.remove_tree(staging)


class NotDamaged(Exception):
    """The error that made somebody suspicious has another reason."""


def is_sound(path: str) -> bool:
    """Whether every page hangs together, every table is there and every row can be read."""
    try:
        connection = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error:
        return False
    try:
        if (
            connection.execute("PRAGMA user_version").fetchone() != (VERSION,)
            or _schema(connection) != _ours()
        ):
            return False
        for table in TABLES:
            connection.execute(f"SELECT * FROM {table}").fetchall()
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",))
    except FAILURES:
        return False
    finally:
        connection.close()


def _schema(connection: sqlite3.Connection) -> list[str]:
    return [
        sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql <> '' ORDER BY name")
    ]


def _ours() -> list[str]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in SCHEMA:
        connection.execute(statement)
    return _schema(connection)


def _identity(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _copy(meta: str, directory: str) -> str:
    """A copy to look at: looking at the file itself would change it."""
    target = f"{directory}/meta.db"
    for suffix in SUFFIXES[:2]:
        try:
            with open(meta + suffix, "rb") as source:
                files.write(target + suffix, source.read())
        except FileNotFoundError:
            continue
    return target


def _replace(paths: Paths, staging: str, copy: str) -> str:
    from pyctr.store.remains import collect

    remains = collect(paths, _read(copy), _read(copy + "-wal"))
    made = f"{staging}/new.db"
    build(made, remains)
    saved = _save(paths.meta)
    os.rename(made, paths.meta)
    _sync(paths.root)
    kept = f"the damaged file is kept as {saved}" if saved else "there is nothing of it to keep"
    return f"{paths.meta} was damaged and is made anew with {remains.summary()}; {kept}"


def build(path: str, remains: Remains) -> None:
    """Make a database of these rows, durable on return."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN")
        for statement in SCHEMA:
            connection.execute(statement)
        for table, rows in remains.tables():
            for row in map(tuple, rows):
                marks = ",".join("?" * len(row))
                connection.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as error:
        raise OSError(0, f"cannot write {path}: {error}") from error
    finally:
        connection.close()
    os.chmod(path, 0o600)


def _save(meta: str) -> str:
    """Keep the damaged file and its log under a name of their own, which it gives; none without a file."""
    saved = f"{meta}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    while os.path.lexists(saved):
        saved += "x"
    try:
        if not os.path.getsize(meta):
            raise FileNotFoundError
        os.link(meta, saved)
    except FileNotFoundError:
        saved = ""
    # Else SQLite would apply the old log to the new file.
    for suffix in SUFFIXES[1:]:
        if saved and suffix == "-wal":
            _move(meta + suffix, saved + suffix)
        else:
            files.unlink(meta + suffix)
    return saved


def _move(source: str, target: str) -> None:
    try:
        os.rename(source, target)
    except FileNotFoundError:
        return


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def _sync(directory: str) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
