"""The filters of ``ps`` and ``images``; what docker 20.10 and 28 chose is written down here."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyctr.engine.container.list import summary
from pyctr.engine.container.select import tests as checks_of
from pyctr.engine.container.shape import container_config, host_config
from pyctr.engine.core import Core
from pyctr.engine.image.find import family
from pyctr.engine.image.list import list_images
from pyctr.errors import InvalidParameter
from pyctr.store.images import ImageRow, ImageRows
from tests.unit.store.rows import row

WEB = row(name="web", state="running", labels='{"a": "1", "b": "x y"}', mounts="")
FAILED = row(name="my-web-2", state="exited", exit_code=3)


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = Core(str(tmp_path / "root"), str(tmp_path / "run"))
    core.db.connection()
    yield core
    core.close()


def chosen(core: Core, **filters: list[str]) -> list[str]:
    checks = checks_of(core, {name.replace("_", "-"): values for name, values in filters.items()})
    return [one.name for one in (WEB, FAILED) if all(check(one) for check in checks)]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"name": ["web"]}, ["web", "my-web-2"]),
        ({"name": ["^/web$"]}, ["web"]),
        ({"name": ["^[[:alpha:]]+$"]}, ["web"]),
        ({"name": [r"^web\z"]}, ["web"]),
        ({"label": ["a", "b=x y"]}, ["web"]),
        ({"label": ["a=2"]}, []),
        ({"exited": ["3"]}, ["my-web-2"]),
        ({"exited": ["0"]}, []),
        ({"status": ["running", "exited"]}, ["web", "my-web-2"]),
        ({"health": ["none"]}, ["web", "my-web-2"]),
        ({"health": ["healthy"]}, []),
        ({"is_task": ["false"]}, ["web", "my-web-2"]),
        ({"is_task": ["true"]}, []),
        ({"publish": ["80/tcp"]}, []),
        ({"expose": ["80-90"]}, []),
        ({"network": ["none"]}, ["web", "my-web-2"]),
    ],
)
def test_filters(core: Core, filters: dict[str, list[str]], names: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert chosen(core, **filters) == names


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"bogus": ["1"]}, "invalid filter 'bogus'"),
        ({"status": ["bogus"]}, "invalid filter 'status=bogus'"),
        ({"exited": ["x"]}, "invalid filter 'exited=x'"),
        ({"health": ["bogus"]}, "unrecognised filter value for health: bogus"),
        ({"is_task": ["x"]}, r"invalid filter 'is-task=\[x\]'"),
        ({"publish": ["x"]}, "error while looking up for publish x"),
        ({"publish": ["90-80"]}, "invalid port: 90-80"),
        ({"expose": ["80/x"]}, "invalid proto: x"),
        ({"name": ["["]}, "invalid filter 'name"),
        ({"before": ["nobody"]}, "no such container: nobody"),
    ],
)
def test_filters_that_make_no_sense(core: Core, filters: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InvalidParameter, match=message):
        chosen(core, **filters)


def test_a_summary_names_the_network() -> None:
    assert list(summary(WEB, 0)["NetworkSettings"]["Networks"]) == ["none"]
    assert summary(row(network="container:abc"), 0)["NetworkSettings"]["Networks"] == {}


def add(core: Core, id: str, layers: str, steps: list[str], *names: str) -> None:
    """Put an image in the store, without any files."""
    document = json.dumps({"history": [{"created_by": step} for step in steps], "config": {}})
    image = ImageRow("sha256:" + id * 64, 1, 1, layers, document)
    core.db.execute(
        "INSERT INTO images (id, created, size, layers, doc, gone) VALUES (?, ?, ?, ?, ?, 0)",
        (image.id, image.created, image.size, layers, image.doc),
    )
    for name in names:
        core.db.execute("INSERT INTO image_names (name, image) VALUES (?, ?)", (name, image.id))


def test_a_family_are_the_images_on_top(core: Core) -> None:
    """Two archives with the same content are no relatives; one more step, or one more layer, is."""
    add(core, "a", "one", ["import"], "docker.io/library/base:latest")
    add(core, "b", "one", ["another import"])
    add(core, "c", "one", ["import", "CMD x"])
    add(core, "d", "two one", ["import", "RUN y"])
    assert {id[7] for id in family(core, "base")} == {"a", "c", "d"}
    assert family(core, "nosuch") == set()


def test_a_reference_shows_the_names_it_fits(core: Core) -> None:
    add(core, "a", "one", [], "docker.io/foo/bar:1.0", "localhost:5000/x/y:z")
    add(core, "b", "one", [])

    def tags(pattern: str) -> list[str]:
        found = list_images(core, filters={"reference": [pattern]})
        return [tag for image in found for tag in image["RepoTags"]]

    assert len(ImageRows(core.db).all()) == 2
    assert tags("foo/*") == ["foo/bar:1.0"]
    assert tags("localhost:5000/x/y") == ["localhost:5000/x/y:z"]
    assert tags("nosuch") == []
    assert tags("host") == ["host:latest"]
    with pytest.raises(InvalidParameter, match="syntax error in pattern"):
        tags("[")


def test_inspect_shows_every_key() -> None:
    shown = host_config({"NetworkMode": "none", "MemorySwappiness": -1, "PidsLimit": 0, "Memory": 7})
    assert (shown["MemorySwappiness"], shown["PidsLimit"], shown["Memory"]) == (None, None, 7)
    assert shown["CgroupnsMode"] in ("host", "private")
    assert "/proc/kcore" in (shown["MaskedPaths"] or ())
    assert host_config({"Privileged": True})["MaskedPaths"] is None
    assert host_config({"SecurityOpt": ["systempaths=unconfined"]})["ReadonlyPaths"] == []
    assert shown["ConsoleSize"] == [0, 0]
    assert list(shown)[:3] == ["Binds", "ContainerIDFile", "LogConfig"]
    assert container_config({"Env": [], "Cmd": ["x"]})["Env"] is None
    assert container_config({})["OnBuild"] is None
