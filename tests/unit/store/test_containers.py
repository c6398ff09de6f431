from __future__ import annotations

import pytest

from pyctr.errors import Conflict, ContainerNotFound, InvalidParameter
from pyctr.store import names
from pyctr.store.containers import COLUMNS
from pyctr.store.store import Store

from .rows import row


def test_columns_are_the_tables(store: Store) -> None:
    found = store.db.rows("PRAGMA table_info(containers)")
    assert tuple(column[1] for column in found) == COLUMNS


def test_what_goes_in_comes_out(store: Store) -> None:
    new = row(name="web", labels='{"a": "b"}', exit_code=3, doc='{"Path": "true"}')
    store.containers.insert(new)
    found = store.containers.get(new.id)
    assert found == new
    assert found is not None
    assert (found.name, found.exit_code, found.doc) == ("web", 3, '{"Path": "true"}')


def test_find_by_id_prefix_and_name(store: Store) -> None:
    one, two = row(id="ab" + "0" * 62, name="first"), row(id="ac" + "0" * 62, name="second")
    for new in (one, two):
        store.containers.insert(new)
    for ref, found in ((one.id, one), ("ab0", one), ("first", one), ("/second", two), ("ac", two)):
        assert store.containers.find(ref).id == found.id
    with pytest.raises(InvalidParameter, match="multiple IDs found with provided prefix: a"):
        store.containers.find("a")
    with pytest.raises(ContainerNotFound, match="no such container: third"):
        store.containers.find("third")
    with pytest.raises(InvalidParameter):
        store.containers.find("")


def test_a_name_beats_a_prefix(store: Store) -> None:
    store.containers.insert(row(id="ab" + "0" * 62))
    named = row(id="cd" + "0" * 62, name="ab")
    store.containers.insert(named)
    assert store.containers.find("ab").id == named.id


def test_a_taken_name_is_a_conflict_that_names_its_holder(store: Store) -> None:
    first = row(name="web")
    store.containers.insert(first)
    with pytest.raises(Conflict, match=f'"/web" is already in use by container "{first.id}"'):
        store.containers.insert(row(name="web"))
    other = row()
    store.containers.insert(other)
    with pytest.raises(Conflict, match='"/web" is already in use'):
        store.containers.rename(other.id, "web")


def test_random_names_get_out_of_each_others_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "random_name", lambda retry=0: f"eager_turing{retry or ''}")
    given = [store.containers.insert_named_at_random(row()).name for _ in range(3)]
    assert given == ["eager_turing", "eager_turing1", "eager_turing2"]


def test_change_compares_and_sets(store: Store) -> None:
    new = row(state="created")
    store.containers.insert(new)
    assert store.containers.change(new.id, ("created", "exited"), state="starting", owner="1:2")
    assert not store.containers.change(new.id, ("created", "exited"), state="starting")
    assert list(store.containers.at_work()) == [(new.id, "1:2")]
    assert store.containers.take_over(new.id, "1:2", "3:4")
    assert not store.containers.take_over(new.id, "1:2", "5:6")


def test_list_is_newest_first_and_without_documents(store: Store) -> None:
    for created in (1, 3, 2):
        store.containers.insert(row(created=created, doc="x" * 5000))
    rows = store.containers.list()
    assert [found.created for found in rows] == [3, 2, 1]
    with pytest.raises(IndexError):
        _ = rows[0].doc


def test_delete_forgets_everything(store: Store) -> None:
    new = row()
    store.containers.insert(new)
    store.volumes.use(new.id, "data")
    store.db.execute("INSERT INTO execs VALUES ('e', ?, 0, 'created', NULL, '{}')", (new.id,))
    assert store.containers.delete(new.id)
    assert not store.containers.delete(new.id)
    assert store.volumes.users("data") == []
    assert store.db.rows("SELECT * FROM execs") == []
