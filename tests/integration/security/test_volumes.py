"""Volumes that several containers write to: what one leaves there must not lead the engine astray."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

import pyctr
from pyctr.engine.local import LocalEngine
from pyctr.errors import PyctrError
from tests.integration.security.conftest import Build

pytestmark = pytest.mark.root


def test_a_part_of_a_volume_stays_inside_of_it(
    engine: pyctr.Engine, local: LocalEngine, build: Build, tmp_path: Path
) -> None:
    """A directory that becomes a link to the host's between create and start (CVE-2021-25741)."""
    image, victim = build(), tmp_path / "victim"
    victim.mkdir()
    (victim / "secret").write_text("secret")
    engine.run(image, ["mkdir", "/d/part"], volumes=["data:/d"])
    mount = {"Type": "volume", "Source": "data", "Target": "/m", "VolumeOptions": {"Subpath": "part"}}
    part = engine.containers.create(image, ["touch", "/m/made"], host_config={"Mounts": [mount]})
    part.start()
    part.wait()
    data = Path(engine.volumes.get("data").attrs["Mountpoint"])
    assert [path.relative_to(data) for path in data.rglob("*")] == [Path("part"), Path("part/made")]
    swap = f"rm -r /d/part; ln -s {victim} /d/part"
    engine.run(image, ["sh", "-c", swap], volumes=["data:/d"])
    with pytest.raises(PyctrError, match="bind source path does not exist"):
        part.start()
    archive = tmp_path / "in.tar"
    with tarfile.open(archive, "w") as tar:
        tar.addfile(tarfile.TarInfo("planted"))
    with archive.open("r+b") as file:
        with pytest.raises(PyctrError, match="cannot access path part"):
            local.containers.archive_get(part.id, "/m/secret", file.fileno())
        with pytest.raises(PyctrError, match="cannot access path part"):
            local.containers.archive_put(part.id, "/m", file.fileno())
    assert [path.name for path in victim.iterdir()] == ["secret"]
