"""A damaged database is put aside, and a new one holds what could be read and what the files say."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from pyctr import _core
from pyctr.errors import Unavailable
from pyctr.store import salvage
from pyctr.store.damage import NotDamaged, is_sound, repair
from pyctr.store.images import ImageRow, ImageRows, LayerRows
from pyctr.store.schema import SCHEMA
from pyctr.store.store import Store
from pyctr.store.volumes import VolumeRow
from tests.unit.store.rows import row

PAGE = 4096
LAYER = "b" * 64


def fill(root: Path, count: int = 40) -> list[str]:
    """A store in which everything has its files; the names of the containers."""
    store = Store(str(root), str(root / "run"))
    config = f'{{"config":{{}},"rootfs":{{"type":"layers","diff_ids":["sha256:{LAYER}"]}}}}'
    image = f"sha256:{_core.sha256(config.encode())}"
    layers = LayerRows(store.db)
    layers.claim(LAYER, f"sha256:{LAYER}", 4711, "token")
    (root / "overlay2" / LAYER / "diff").mkdir(parents=True)
    ImageRows(store.db).add(ImageRow(image, 1, 4711, LAYER, config), "docker.io/library/busybox:latest")
    layers.release("token")
    (root / "volumes" / "data").mkdir()
    store.volumes.add(VolumeRow("data", 5, 0, '{"key":"value"}', ""))
    for index in range(count):
        # Long ones continue on pages of their own.
        doc = f'{{"Points":[{{"Type":"volume","Name":"data"}}],"Padding":"{"x" * (index * 400)}"}}'
        one = row(name=f"c{index}", image_id=image, state="exited", exit_code=index, finished=7, doc=doc)
        store.containers.insert(one)
        (root / "containers" / one.id).mkdir()
    for index in range(0, count, 4):  # leave holes
        gone = store.containers.find(f"c{index}")
        store.containers.delete(gone.id)
        (root / "containers" / gone.id).rmdir()
    store.close()
    return sorted(f"c{index}" for index in range(count) if index % 4)


def fresh(root: Path) -> tuple[Store, list[str]]:
    """The store as the next command sees it, and what that is told."""
    told: list[str] = []
    store = Store(str(root), str(root / "run"))
    store.db.warn = told.append
    return store, told


def test_what_is_whole_is_read_without_sqlite(tmp_path: Path) -> None:
    names = fill(tmp_path)
    with sqlite3.connect(tmp_path / "meta.db", isolation_level=None) as db:
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("UPDATE containers SET exit_code = 99 WHERE name = 'c1'")
        db.execute("BEGIN")
        db.execute("UPDATE containers SET exit_code = 98 WHERE name = 'c2'")
        files = [(tmp_path / name).read_bytes() for name in ("meta.db", "meta.db-wal")]
        db.execute("ROLLBACK")
        expected = sorted(map(list, db.execute("SELECT * FROM containers")))
    found = [values for values in salvage.rows(*files) if len(values) == len(expected[0])]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert sorted(str(values[1]) for values in found) == names


@pytest.mark.parametrize("where", ["start", "middle", "end"])
def test_zeros(tmp_path: Path, where: str) -> None:
    names = fill(tmp_path)
    meta = tmp_path / "meta.db"
    data = bytearray(meta.read_bytes())
    start = {"start": 0, "middle": len(data) // 2 // PAGE * PAGE, "end": len(data) - PAGE}[where]
    data[start : start + PAGE] = bytes(PAGE)
    meta.write_bytes(data)
    store, told = fresh(tmp_path)
    rows = store.containers.list()
    if where == "start":
        assert sorted(row.name for row in rows) == names
        assert store.volumes.find("data").labels == {"key": "value"}
        assert len(store.volumes.users("data")) == len(names)
        assert ImageRows(store.db).named("docker.io/library/busybox:latest") is not None
        assert LayerRows(store.db).size(LAYER) == 4711
    # Where nobody looked at the page nobody has noticed; nothing is lost either way.
    assert len(rows) == len(names)
    for sentence in told:
        saved = Path(sentence.rpartition(" ")[2])
        assert saved.read_bytes() == data
    store.close()


@pytest.mark.parametrize("content", [None, b"", b"rubbish" * 1000, bytes(8192), b"SQLite format 3\0" * 99])
def test_nothing_is_left_but_files(tmp_path: Path, content: bytes | None) -> None:
    names = fill(tmp_path)
    meta = tmp_path / "meta.db"
    meta.unlink()
    if content is not None:
        meta.write_bytes(content)
    store, told = fresh(tmp_path)
    ids = {path.name for path in (tmp_path / "containers").iterdir()}
    assert {row.id for row in store.containers.list()} == ids
    assert len(ids) == len(names)
    assert store.volumes.find("data").name == "data"
    assert (tmp_path / "overlay2" / LAYER / "diff").is_dir()
    (sentence,) = told
    saved = Path(sentence.rpartition(" ")[2])
    assert saved.read_bytes() == content if content else "nothing of it to keep" in sentence
    store.close()


def test_bits_that_turned(tmp_path: Path) -> None:
    """Whatever turns, the store can be read or says why not, and no container is lost."""
    names = fill(tmp_path / "whole", 12)
    random.seed(3)
    for turn in range(30):
        root = tmp_path / "root"
        shutil.copytree(tmp_path / "whole", root)
        data = bytearray((root / "meta.db").read_bytes())
        for _ in range(1 + turn % 20):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        (root / "meta.db").write_bytes(data)
        store, _ = fresh(root)
        # The format of the file may be what turned: that is told, and nothing is done.
        with contextlib.suppress(Unavailable):
            found = store.containers.list()
            store.volumes.list()
            ImageRows(store.db).all()
            assert len({row.id for row in found}) == len(names), turn
        store.close()
        shutil.rmtree(root)


def test_a_cut_file(tmp_path: Path) -> None:
    names = fill(tmp_path)
    meta = tmp_path / "meta.db"
    os.truncate(meta, meta.stat().st_size // 2)
    store, told = fresh(tmp_path)
    assert len(store.containers.list()) == len(names)
    assert len(told) == 1
    store.close()


def test_a_transaction_says_to_try_again(tmp_path: Path) -> None:
    fill(tmp_path)
    store, told = fresh(tmp_path)
    store.containers.list()
    (tmp_path / "meta.db").write_bytes(b"rubbish" * 10000)
    (tmp_path / "meta.db-wal").write_bytes(b"")
    store.db._repairs += 1  # as a process that opens it now
    with store.db.write():
        store.volumes.add(VolumeRow("new", 1, 0, "", ""))
    assert store.volumes.find("new")
    assert len(told) == 1
    store.close()


def test_what_is_sound_is_left_alone(tmp_path: Path) -> None:
    fill(tmp_path)
    before = (tmp_path / "meta.db").read_bytes()
    store, _ = fresh(tmp_path)
    with pytest.raises(NotDamaged):
        repair(store.paths)
    assert is_sound(store.paths.meta)
    assert (tmp_path / "meta.db").read_bytes() == before
    assert len(list(tmp_path.glob("meta.db*"))) == 1


def test_every_table_is_without_rowid() -> None:
    """Only such tables can be salvaged."""
    tables = [statement for statement in SCHEMA if "CREATE TABLE" in statement]
    assert tables
    assert all("WITHOUT ROWID" in statement for statement in tables)
