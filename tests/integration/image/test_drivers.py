"""Each storage driver does the same: layers, containers on them, what they changed, and the space back."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from pyctr import _core
from pyctr.engine.image.find import find
from pyctr.engine.image.import_ import import_image
from pyctr.engine.image.remove import remove
from pyctr.errors import Conflict, InvalidParameter, Unsupported
from pyctr.image import host
from pyctr.image.config import chain_ids
from pyctr.store.drivers import choose, reasons
from pyctr.store.images import ImageRow, ImageRows, LayerRows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyctr.engine.core import Core

pytestmark = pytest.mark.root
CONTAINER = "c" * 64
SKELETON = ("hostname", "hosts", "resolv.conf")


@contextlib.contextmanager
def opened(core: Core, id: str) -> Iterator[str]:
    """The container's file system, by a path that is nowhere mounted."""
    rootfs = core.driver.rootfs(id)
    if "path" in rootfs:
        yield rootfs["path"]
        return
    overlay = rootfs["overlay"]
    fd = _core.overlay_open(overlay["lower"], overlay["upper"], overlay["work"])
    try:
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def stored(core: Core) -> list[str]:
    """The directories of layers and containers."""
    return [name for name in os.listdir(f"{core.paths.root}/{core.driver.name}") if name != "skeleton"]


def imported(core: Core, archive: Path) -> str:
    fd = os.open(archive, os.O_RDONLY)
    try:
        return import_image(core, fd, ref="base")
    finally:
        os.close(fd)


def stack(core: Core, below: ImageRow, entries: dict[str, bytes | None], tmp_path: Path) -> ImageRow:
    """An image with one more layer; an entry without data is a whiteout's or a directory's name."""
    path = tmp_path / "layer.tar"
    with tarfile.open(path, "w") as tar:
        for name, data in entries.items():
            entry = tarfile.TarInfo(name)
            if data is None and ".wh." not in name:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            entry.size = len(data or b"")
            tar.addfile(entry, io.BytesIO(data or b""))
    fd = os.open(path, os.O_RDONLY)
    try:
        with core.driver.stage(below.layers) as staging:
            applied = staging.apply(fd)
            diff_ids = [*(f"sha256:{layer}" for layer in reversed(below.layers)), applied["diff_id"]]
            layer = chain_ids(diff_ids)[-1]
            LayerRows(core.db).claim(layer, applied["diff_id"], applied["content"], "test")
            staging.commit(layer)
    finally:
        os.close(fd)
    row = ImageRow("sha256:" + "e" * 64, 2, 0, " ".join((layer, *below.layers)), "{}")
    ImageRows(core.db).add(row)
    LayerRows(core.db).release("test")
    return row


def test_a_container_writes_in_its_own_layer(core: Core, archive: Path) -> None:
    image = find(core, imported(core, archive))
    core.driver.create(CONTAINER, image.layers)
    with opened(core, CONTAINER) as root:
        assert sorted(os.listdir(root)) == ["bin", "dev", "etc", "proc", "sys", "tmp"]
        assert os.stat(root + "/etc/hosts").st_size == 0
        with open(root + "/etc/passwd", "a") as file:
            file.write("more\n")
        os.unlink(root + "/etc/old")
        os.mkdir(root + "/srv")
        with open(root + "/srv/data", "w") as file:
            file.write("12345")
    assert core.driver.changes(CONTAINER) == [
        ("C", b"/etc"),
        ("D", b"/etc/old"),
        ("C", b"/etc/passwd"),
        ("A", b"/srv"),
        ("A", b"/srv/data"),
    ]
    assert core.driver.size(CONTAINER) >= 5
    core.driver.create("d" * 64, image.layers)
    with opened(core, "d" * 64) as root:
        assert os.path.exists(root + "/etc/old")
        assert not os.path.exists(root + "/srv")
    for id in (CONTAINER, "d" * 64):
        assert core.driver.remove(id, core.sweeper) == []
        assert core.driver.remove(id, core.sweeper) == []
    assert stored(core) == list(image.layers)
    remove(core, "base")
    assert stored(core) == []


def test_whiteouts_hide_what_is_below(core: Core, archive: Path, tmp_path: Path) -> None:
    base = ImageRows(core.db).get(imported(core, archive))
    assert base is not None
    entries: dict[str, bytes | None] = {
        "etc": None,
        "etc/.wh.old": None,
        "bin": None,
        "bin/.wh..wh..opq": None,
        "bin/only": b"x",
        "tmp/deep/new": b"y",
    }
    top = stack(core, base, entries, tmp_path)
    core.driver.create(CONTAINER, top.layers)
    with opened(core, CONTAINER) as root:
        assert set(os.listdir(root + "/etc")) - set(SKELETON) == {"passwd"}
        assert os.listdir(root + "/bin") == ["only"]
        assert os.listdir(root + "/tmp") == ["deep"]
        # Not named by the layer, so as it is below it.
        assert os.stat(root + "/tmp").st_mode & 0o7777 == 0o1777
    assert core.driver.changes(CONTAINER) == []
    core.driver.remove(CONTAINER, core.sweeper)


def test_a_stack_of_many_layers(core: Core, archive: Path, tmp_path: Path) -> None:
    row = ImageRows(core.db).get(imported(core, archive))
    for number in range(8 if core.driver.name == "vfs" else 110):
        assert row is not None
        row = stack(core, row, {f"layer{number}": b"x", "same": str(number).encode()}, tmp_path)
    assert row is not None
    core.driver.create(CONTAINER, row.layers)
    with opened(core, CONTAINER) as root:
        assert len([name for name in os.listdir(root) if name.startswith("layer")]) == len(row.layers) - 1
        with open(root + "/same") as file:
            assert file.read() == str(len(row.layers) - 2)
    core.driver.remove(CONTAINER, core.sweeper)


def test_a_container_without_its_layers_is_refused(core: Core) -> None:
    with pytest.raises(Conflict, match="is gone"):
        core.driver.create(CONTAINER, ("f" * 64,))
    core.driver.remove(CONTAINER, core.sweeper)


def test_the_host_can_be_changed_in_a_layer_only(core: Core) -> None:
    if core.driver.name == "vfs":
        with pytest.raises(Unsupported, match="overlay2"):
            core.driver.create(CONTAINER, host.LAYERS)
        core.driver.remove(CONTAINER, core.sweeper)
        return
    core.driver.create(CONTAINER, host.LAYERS)
    name = f"pyctr-test-{os.getpid()}"
    with opened(core, CONTAINER) as root:
        assert os.path.samestat(os.stat(root), os.stat(root + "/."))
        assert os.path.exists(root + "/etc/passwd")
        with open(f"{root}/etc/{name}", "w") as file:
            file.write("x")
    assert not os.path.exists(f"/etc/{name}")
    assert core.driver.changes(CONTAINER) == [("C", b"/etc"), ("A", f"/etc/{name}".encode())]
    core.driver.remove(CONTAINER, core.sweeper)


def test_a_store_keeps_its_driver(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    name = core.driver.name
    monkeypatch.delenv("PYCTR_STORAGE_DRIVER")
    assert choose(core.paths).name == name
    with pytest.raises(InvalidParameter, match="no such storage driver"):
        choose(core.paths, "zfs")
    assert reasons(core.paths) == {"overlay2": "", "vfs": ""}
