"""Names of images: who has them, who loses them, and what docker says about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from pyctr.engine.image.find import family, find
from pyctr.engine.image.import_ import import_image
from pyctr.engine.image.list import list_images
from pyctr.engine.image.remove import prune, remove
from pyctr.engine.image.tag import tag
from pyctr.errors import Conflict, ImageNotFound, InvalidParameter
from pyctr.image import host
from pyctr.store.containers import COLUMNS, Row

if TYPE_CHECKING:
    from pathlib import Path

    from pyctr.engine.core import Core

pytestmark = pytest.mark.root
ABSENT = "sha256:" + "f" * 64


@pytest.fixture
def image(core: Core, archive: Path) -> str:
    return put(core, archive, ref="one:1", changes=["LABEL a=b"])


def put(core: Core, archive: Path, **options: Any) -> str:
    fd = os.open(archive, os.O_RDONLY)
    try:
        return import_image(core, fd, **options)
    finally:
        os.close(fd)


def use(core: Core, image_id: str, state: str) -> str:
    numbers = ("created", "auto_remove", "pid", "started", "finished", "exit_code", "oom_killed")
    id = os.urandom(32).hex()
    values: dict[str, Any] = dict.fromkeys(COLUMNS, "") | dict.fromkeys(numbers, 0)
    values |= {"id": id, "name": id, "image_id": image_id, "state": state}
    core.containers.insert(Row(values[column] for column in COLUMNS))
    return id[:12]


def names(core: Core, **filters: list[str]) -> list[str]:
    return [name for image in list_images(core, filters=filters) for name in image["RepoTags"]]


def test_an_image_is_found_by_all_its_names(core: Core, image: str) -> None:
    for ref in ("one:1", "docker.io/library/one:1", image, image[7:], image[7:19], image[:19]):
        assert find(core, ref).id == image
    assert find(core, "host").is_host
    assert find(core, host.image_id()).is_host


@pytest.mark.parametrize("ref", ["one", "two:1", "f" * 64, ABSENT, "abcdef", "a/b", f"x@{ABSENT}"])
def test_one_that_is_not_there(core: Core, image: str, ref: str) -> None:
    with pytest.raises(ImageNotFound, match="no such image: "):
        find(core, ref)


def test_what_can_be_no_image(core: Core, image: str) -> None:
    for ref in ("", "A b", "One"):
        with pytest.raises(InvalidParameter, match="invalid reference format"):
            find(core, ref)


def test_tags(core: Core, image: str, archive: Path) -> None:
    tag(core, "one:1", "localhost:5000/two")
    assert names(core) == ["one:1", "localhost:5000/two:latest", "host:latest"]
    other = put(core, archive, ref="one:1")
    assert find(core, "one:1").id == other
    with pytest.raises(ImageNotFound):
        tag(core, "nothing", "x")
    for target in ("host", "a@sha256:" + "0" * 64, "UP"):
        with pytest.raises(InvalidParameter):
            tag(core, "one:1", target)
    with pytest.raises(InvalidParameter, match="cannot tag host"):
        tag(core, "host", "mine")


def test_filters(core: Core, image: str, archive: Path) -> None:
    later = put(core, archive)
    ids = [summary["Id"] for summary in list_images(core)]
    assert ids == [later, image, host.image_id()]

    def found(**filters: list[str]) -> list[str]:
        return [summary["Id"] for summary in list_images(core, filters=filters)]

    assert found(dangling=["true"]) == [later]
    assert found(dangling=["false"]) == [image, host.image_id()]
    assert found(label=["a"]) == found(label=["a=b"]) == [image]
    assert found(label=["a=c"]) == []
    assert found(reference=["on*"]) == found(reference=["one:?"]) == [image]
    assert found(before=[later]) == [image, host.image_id()]
    assert found(since=["one:1"]) == [later]
    for bad in ({"dangling": ["maybe"]}, {"nonsense": ["1"]}):
        with pytest.raises(InvalidParameter, match="invalid filter"):
            list_images(core, filters=bad)


def test_rmi_takes_names_one_by_one(core: Core, image: str) -> None:
    tag(core, image, "two")
    assert remove(core, "one:1") == [{"Untagged": "one:1"}]
    layer = find(core, image).layers[0]
    assert remove(core, "two") == [
        {"Untagged": "two:latest"},
        {"Deleted": image},
        {"Deleted": f"sha256:{layer}"},
    ]
    with pytest.raises(ImageNotFound):
        remove(core, "two")
    assert names(core) == ["host:latest"]


def test_rmi_by_id_takes_all_names_of_one_repository(core: Core, image: str) -> None:
    tag(core, image, "one:2")
    assert [*remove(core, image[7:19])][:3] == [
        {"Untagged": "one:1"},
        {"Untagged": "one:2"},
        {"Deleted": image},
    ]


def test_rmi_by_id_of_several_repositories_needs_force(core: Core, image: str) -> None:
    tag(core, image, "two")
    with pytest.raises(Conflict, match=r"must be forced.*multiple repositories"):
        remove(core, image)
    assert {"Deleted": image} in remove(core, image, force=True)


def test_an_image_in_use_is_kept(core: Core, image: str) -> None:
    stopped = use(core, image, "exited")
    with pytest.raises(Conflict, match=rf'"one:1" \(must force\) - container {stopped} is using'):
        remove(core, "one:1")
    with pytest.raises(Conflict, match=rf"must be forced.*used by stopped container {stopped}"):
        remove(core, image)
    running = use(core, image, "running")
    with pytest.raises(Conflict, match=rf"cannot be forced.*used by running container {running}"):
        remove(core, image, force=True)
    assert remove(core, "one:1", force=True) == [{"Untagged": "one:1"}]
    core.containers.delete(next(row.id for row in core.containers.list() if row.id.startswith(running)))
    layer = find(core, image).layers[0]
    # The container that has ended keeps its layers, though nobody can make another one.
    assert remove(core, image, force=True) == [{"Deleted": image}]
    assert core.driver.has(layer)
    core.db.execute("DELETE FROM containers")
    prune(core)
    assert not core.driver.has(layer)


def test_prune(core: Core, image: str, archive: Path) -> None:
    unnamed = put(core, archive)
    reply = prune(core)
    assert reply["ImagesDeleted"] == [{"Deleted": unnamed}]
    assert reply["SpaceReclaimed"] == 0  # its layer is the named one's too
    use(core, image, "exited")
    assert prune(core, {"dangling": ["false"]})["ImagesDeleted"] is None
    core.db.execute("DELETE FROM containers")
    assert prune(core, {"dangling": ["false"]})["SpaceReclaimed"] > 0
    assert names(core) == ["host:latest"]


def test_the_host_stays(core: Core) -> None:
    for force in (False, True):
        with pytest.raises(Conflict, match="cannot remove host"):
            remove(core, "host", force=force)


def test_family(core: Core, image: str, archive: Path) -> None:
    put(core, archive)  # the same layers, but no relation: neither stands on the other
    assert family(core, "one:1") == {image}
    assert family(core, "host") == {host.image_id()}
    assert family(core, "nothing") == set()
