from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from pyctr.errors import SystemFailure, Unavailable
from pyctr.store.db import Database, UniqueViolation
from pyctr.store.paths import Paths
from pyctr.store.store import Store

INSERT = "INSERT INTO volumes VALUES (?, 0, 0, '', '')"


def count(database: Database) -> int:
    found = database.row("SELECT count(*) FROM volumes")
    assert found is not None
    return int(found[0])


def test_opens_lazily_and_makes_the_tree(tmp_path: Path) -> None:
    root = tmp_path / "a" / "root"
    store = Store(str(root), str(tmp_path / "run"))
    assert not root.exists()
    assert store.containers.list() == []
    assert stat.S_IMODE(root.stat().st_mode) == 0o710
    assert stat.S_IMODE((root / "meta.db").stat().st_mode) == 0o600
    assert stat.S_IMODE((root / "trash").stat().st_mode) == 0o700
    store.close()


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    def fail_half_way() -> None:
        with store.db.write():
            store.db.execute(INSERT, ("one",))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert count(store.db) == 0
    with store.db.write():
        store.db.execute(INSERT, ("one",))
        store.db.execute(INSERT, ("two",))
    assert count(store.db) == 2


def test_a_taken_key_is_told_apart(store: Store) -> None:
    store.db.execute(INSERT, ("one",))
    with pytest.raises(UniqueViolation):
        store.db.execute(INSERT, ("one",))


def test_threads_have_connections_of_their_own(store: Store) -> None:
    seen: list[object] = [store.db.connection()]

    def work(name: str) -> None:
        seen.append(store.db.connection())
        for index in range(20):
            store.db.execute(INSERT, (f"{name}{index}",))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(store.db) == 80
    assert len({id(connection) for connection in seen}) == 5


def test_a_fork_opens_its_own(store: Store) -> None:
    mine = store.db.connection()
    pid = os.fork()
    if pid == 0:
        try:
            fresh = store.db.connection() is not mine
            store.db.execute(INSERT, ("child",))
            os._exit(0 if fresh else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert store.db.connection() is mine
    assert count(store.db) == 1


def test_two_processes_share_a_store(store: Store) -> None:
    other = Store(store.paths.root, store.paths.run_root)
    store.db.execute(INSERT, ("one",))
    assert count(other.db) == 1
    other.close()
    assert count(store.db) == 1


def test_usable_again_after_close(store: Store) -> None:
    store.db.execute(INSERT, ("one",))
    store.db.close()
    assert count(store.db) == 1


def test_a_damaged_file_is_kept_and_named(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "root"), str(tmp_path / "run"))
    store.db.connection()
    store.close()
    Path(store.paths.meta).write_bytes(b"this is no database" * 500)
    with pytest.warns(RuntimeWarning, match=r"kept as .*meta\.db\.damaged-"):
        assert store.db.rows("SELECT 1 FROM containers") == []
    store.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "root"), str(tmp_path / "run"))
    store.db.execute("PRAGMA user_version=9999")
    store.close()
    with pytest.raises(Unavailable, match="newer pyctr"):
        store.containers.list()


def test_the_reserve_is_spent_when_the_disk_is_full(store: Store) -> None:
    reserve = Path(store.paths.reserve)
    assert reserve.stat().st_blocks * 512 >= 1 << 20
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = 13
    assert store.db._made_room(full)
    assert not reserve.exists()
    assert not store.db._made_room(full)


def test_an_impossible_place_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(Paths(str(tmp_path / "file" / "root"), str(tmp_path / "run")))
    with pytest.raises(SystemFailure, match="not a directory"):
        database.connection()


def test_a_transaction_in_another_is_part_of_it(store: Store) -> None:
    def fail_after_the_inner_one() -> None:
        with store.db.write():
            with store.db.write():
                store.db.execute(INSERT, ("one",))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_the_inner_one()
    assert count(store.db) == 0
