"""The tables of images: names, references between images and layers, collection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyctr.store.containers import COLUMNS, ContainerRows, Row
from pyctr.store.images import ImageRow, ImageRows, LayerRows

if TYPE_CHECKING:
    from pyctr.store.store import Store

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
LOW, HIGH = "1" * 64, "2" * 64


@pytest.fixture
def images(store: Store) -> ImageRows:
    return ImageRows(store.db)


@pytest.fixture
def layers(store: Store) -> LayerRows:
    return LayerRows(store.db)


def image(id: str, *layers: str, created: int = 1) -> ImageRow:
    return ImageRow(id, created, 10, " ".join(layers), "{}")


def use(store: Store, image_id: str, container: str) -> None:
    empty = {
        "created": 0,
        "auto_remove": 0,
        "pid": 0,
        "started": 0,
        "finished": 0,
        "exit_code": 0,
        "oom_killed": 0,
    }
    values = {**dict.fromkeys(COLUMNS, ""), **empty, "id": container, "name": container, "image_id": image_id}
    ContainerRows(store.db).insert(Row(values[column] for column in COLUMNS))


def test_names_move(images: ImageRows) -> None:
    images.add(image(A), "n:1")
    images.add(image(B), "n:1")
    row = images.named("n:1")
    assert row is not None
    assert row.id == B
    assert images.set_name("n:1", A)
    assert images.names() == {A: ["n:1"]}
    assert not images.set_name("n:2", "sha256:" + "c" * 64)
    assert images.drop_name("n:1", A)
    assert not images.drop_name("n:1", A)


def test_prefixes(images: ImageRows) -> None:
    images.add(image(A))
    images.add(image("sha256:" + "a" * 63 + "b"))
    assert len(images.starting_with("sha256:aa")) == 2
    assert images.starting_with("sha256:" + "a" * 63 + "b") == ["sha256:" + "a" * 63 + "b"]
    assert images.starting_with("sha256:c") == []


def test_layers_stay_while_an_image_has_them(images: ImageRows, layers: LayerRows) -> None:
    dropped: list[str] = []
    layers.claim(LOW, "d1", 1, "t")
    layers.claim(HIGH, "d2", 2, "t")
    assert layers.collect(dropped.append) == []
    images.add(image(A, LOW))
    images.add(image(B, HIGH, LOW))
    layers.release("t")
    assert layers.collect(dropped.append) == []
    images.remove(B)
    assert layers.collect(dropped.append) == [HIGH]
    images.remove(A)
    assert layers.collect(dropped.append) == [LOW]
    assert dropped == [HIGH, LOW]
    assert layers.size(LOW) == 0


def test_what_the_dead_claimed_is_collected(store: Store, layers: LayerRows) -> None:
    layers.claim(LOW, "d", 1, "t")
    store.db.execute("UPDATE layer_claims SET owner = '1:1'")
    assert layers.collect(lambda _: None) == [LOW]


def test_a_claim_is_let_go_by_its_token_only(layers: LayerRows) -> None:
    layers.claim(LOW, "d", 1, "one")
    layers.claim(LOW, "d", 1, "two")
    layers.release("one")
    assert layers.collect(lambda _: None) == []
    layers.release("two")
    assert layers.collect(lambda _: None) == [LOW]


def test_a_container_keeps_the_layers_of_a_removed_image(
    store: Store, images: ImageRows, layers: LayerRows
) -> None:
    layers.claim(LOW, "d", 1, "t")
    images.add(image(A, LOW), "n:1")
    layers.release("t")
    use(store, A, "c1")
    assert [id for id, _, _ in images.containers_of(A)] == ["c1"]
    images.remove(A)
    assert images.get(A) is None
    assert images.named("n:1") is None
    assert layers.collect(lambda _: None) == []
    store.db.execute("DELETE FROM containers")
    assert layers.collect(lambda _: None) == [LOW]
    assert store.db.rows("SELECT * FROM images") == []


def test_an_image_that_was_removed_can_come_back(store: Store, images: ImageRows) -> None:
    images.add(image(A, LOW), "n:1")
    use(store, A, "c1")
    images.remove(A)
    images.add(image(A, LOW), "n:2")
    assert images.names() == {A: ["n:2"]}
    assert images.get(A) is not None


def test_a_failing_discard_forgets_nothing(store: Store, layers: LayerRows) -> None:
    layers.claim(LOW, "d", 1, "t")
    layers.release("t")

    def refuse(_: str) -> None:
        raise OSError("busy")

    with pytest.raises(OSError, match="busy"):
        layers.collect(refuse)
    assert layers.size(LOW) == 1
