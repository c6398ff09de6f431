"""Volumes, binds and tmpfs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import pyctr
from pyctr.errors import Conflict, InvalidParameter, NotFound

pytestmark = pytest.mark.root


def test_a_named_volume_outlives_its_containers(engine: pyctr.Engine) -> None:
    engine.run("host", ["sh", "-c", "echo kept > /data/file"], volumes=["data:/data"])
    assert engine.run("host", ["cat", "/data/file"], volumes=["data:/data:ro"]).stdout == b"kept\n"
    refused = engine.run("host", ["touch", "/data/x"], volumes=["data:/data:ro"])
    assert (refused.exit_code, b"Read-only file system" in refused.stderr) == (1, True)
    volume = engine.volumes.get("data")
    assert Path(volume.attrs["Mountpoint"], "file").read_text() == "kept\n"
    volume.remove()
    with pytest.raises(NotFound, match="get data: no such volume"):
        engine.volumes.get("data")


def test_a_new_volume_begins_with_what_the_image_has(engine: pyctr.Engine) -> None:
    script = ["sh", "-c", "cat /etc/apt/sources.list /etc/debian_version; stat -c %a /etc/apt"]
    plain = engine.run("host", ["stat", "-c", "%a", "/etc/apt"]).stdout
    names = engine.run("host", ["ls", "/etc/apt"]).stdout
    assert engine.run("host", ["ls", "/etc/apt"], volumes=["filled:/etc/apt"]).stdout == names
    assert engine.run("host", script, volumes=["filled:/etc/apt"]).stdout.endswith(plain)
    assert engine.run("host", ["ls", "/etc/apt"], volumes=["bare:/etc/apt:nocopy"]).stdout == b""


def test_anonymous_volumes_go_with_rm(engine: pyctr.Engine) -> None:
    body = {"Image": "host", "Cmd": ["true"], "Volumes": {"/data": {}}, "HostConfig": {"NetworkMode": "none"}}
    kept = engine.backend.containers.create(body)["Id"]  # type: ignore[arg-type]
    (volume,) = engine.volumes.list()
    assert len(volume.name) == 64
    with pytest.raises(Conflict, match=f"volume is in use - .{kept}"):
        volume.remove()
    mount = engine.containers.get(kept).attrs["Mounts"][0]
    assert (mount["Type"], mount["Name"], mount["Destination"]) == ("volume", volume.name, "/data")
    engine.containers.get(kept).remove()
    assert engine.volumes.list() != []
    engine.volumes.prune()
    assert engine.volumes.list() == []
    body["HostConfig"] = {"NetworkMode": "none", "AutoRemove": True}
    _, _, session = engine.backend.containers.run(body)  # type: ignore[arg-type]
    assert session is not None
    session.wait()
    assert engine.volumes.list() == []


def test_volumes_from(engine: pyctr.Engine) -> None:
    engine.containers.create("host", "true", name="source", volumes=["data:/data"])
    host = {"VolumesFrom": ["source:ro"]}
    container = engine.containers.create("host", "true", host_config=host)
    mount = container.attrs["Mounts"][0]
    assert (mount["Name"], mount["RW"]) == ("data", False)
    engine.containers.get("source").remove()
    with pytest.raises(Conflict):
        engine.volumes.get("data").remove()


def test_binds(engine: pyctr.Engine, tmp_path: Path) -> None:
    source = tmp_path / "not" / "yet"
    engine.run("host", ["sh", "-c", "echo x > /srv/file"], volumes=[f"{source}:/srv"])
    assert (source / "file").read_text() == "x\n"
    mount = {"Type": "bind", "Source": str(tmp_path / "missing"), "Target": "/srv"}
    with pytest.raises(InvalidParameter, match="bind source path does not exist"):
        engine.run("host", "true", host_config={"Mounts": [mount]})
    single = tmp_path / "single"
    single.write_text("one file")
    assert engine.run("host", ["cat", "/srv/new"], volumes=[f"{single}:/srv/new"]).stdout == b"one file"


def test_tmpfs(engine: pyctr.Engine) -> None:
    host = {"Tmpfs": {"/srv": "size=1m"}}
    result = engine.run("host", ["sh", "-c", "grep ' /srv ' /proc/mounts"], host_config=host)
    assert b"tmpfs" in result.stdout
    assert b"size=1024k" in result.stdout


@pytest.mark.parametrize("volume", ["/a:/b:/c:/d", "data:relative", "data:/", "../x:/data", "data:/d:maybe"])
def test_bad_specifications_leave_nothing(engine: pyctr.Engine, volume: str) -> None:
    with pytest.raises(InvalidParameter):
        engine.run("host", "true", volumes=[volume])
    assert engine.volumes.list() == []
    assert engine.containers.list(all=True) == []


def test_create_list_and_filters(engine: pyctr.Engine) -> None:
    engine.volumes.create("one", labels={"a": "1"})
    engine.volumes.create("one")
    engine.volumes.create("two")
    engine.containers.create("host", "true", volumes=["two:/data"])
    backend = engine.backend.volumes
    for filters, expected in (
        ({}, ["one", "two"]),
        ({"dangling": ["true"]}, ["one"]),
        ({"dangling": ["false"]}, ["two"]),
        ({"label": ["a=1"]}, ["one"]),
        ({"name": ["tw"]}, ["two"]),
        ({"driver": ["nfs"]}, []),
    ):
        assert [volume["Name"] for volume in backend.list(filters)["Volumes"]] == expected, filters
    with pytest.raises(InvalidParameter):
        backend.list({"colour": ["red"]})
    for bad in (
        {"Name": "-x"},
        {"Name": "ok", "Driver": "nfs"},
        {"Name": "ok", "DriverOpts": {"type": "nfs"}},
    ):
        with pytest.raises(InvalidParameter):
            backend.create(bad)  # type: ignore[arg-type]
    assert backend.prune() == {"VolumesDeleted": [], "SpaceReclaimed": 0}
    assert backend.prune({"all": ["true"]})["VolumesDeleted"] == ["one"]
    assert os.path.isdir(backend.inspect("two")["Mountpoint"])
