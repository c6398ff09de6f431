"""Volumes that several containers write to: what one leaves there must not lead the engine astray."""

from __future__ import annotations

import contextlib
import tarfile
from pathlib import Path

import pytest

import pyctr
from pyctr.engine.local import LocalEngine
from pyctr.errors import PyctrError
from tests.integration.security.conftest import Build, Cli

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


def test_shared_memory_that_is_a_link(engine: pyctr.Engine, build: Build, cli: Cli, tmp_path: Path) -> None:
    """Whoever shares a container's IPC takes its /dev/shm, and not what the container says that this is."""
    build()
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "secret").write_text("secret")
    assert cli("import", "-c", "VOLUME /dev", str(tmp_path / "hostile.tar"), "odd").returncode == 0
    script = f"rm -rf /dev/shm; ln -s {victim} /dev/shm; echo ready; sleep 1000"
    donor = engine.containers.run("odd", ["sh", "-c", script], host_config={"IpcMode": "shareable"})
    while b"ready" not in donor.logs():
        pass
    shared = {"IpcMode": f"container:{donor.id}"}
    for image in ("odd", "hostile"):
        with contextlib.suppress(PyctrError):
            script = "cat /dev/shm/secret; touch /dev/shm/made"
            assert engine.run(image, ["sh", "-c", script], host_config=shared).stdout != b"secret"
    assert [path.name for path in victim.iterdir()] == ["secret"]
