from __future__ import annotations

import pytest

from pyctr.errors import NotFound
from pyctr.store.store import Store
from pyctr.store.volumes import VolumeRow


def test_volumes_and_their_users(store: Store) -> None:
    row = VolumeRow("data", 5, 0, '{"a": "b"}', "")
    assert store.volumes.add(row)
    assert not store.volumes.add(row)
    found = store.volumes.find("data")
    assert (found.name, found.created, found.anonymous, found.labels) == ("data", 5, False, {"a": "b"})
    store.volumes.use("c1", "data")
    store.volumes.use("c1", "data")
    store.volumes.use("c2", "data")
    assert store.volumes.users("data") == ["c1", "c2"]
    assert store.volumes.in_use() == {"data": 2}
    assert not store.volumes.delete_unused("data")
    store.db.execute("DELETE FROM volume_users")
    assert store.volumes.delete_unused("data")
    with pytest.raises(NotFound, match="get data: no such volume"):
        store.volumes.find("data")
