"""An engine on a store of its own with each storage driver, and archives to import."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from pyctr.engine.core import Core

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["overlay2", "vfs"])
def core(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    """An empty store; afterwards nothing may be left in ``tmp`` and ``trash``, and nothing mounted."""
    monkeypatch.setenv("PYCTR_STORAGE_DRIVER", request.param)
    core = Core(str(tmp_path / "root"), str(tmp_path / "run"))
    core.paths.prepare()
    yield core
    core.close()
    for name in ("tmp", "trash"):
        assert os.listdir(tmp_path / "root" / name) == []
    with open("/proc/self/mountinfo") as file:
        assert str(tmp_path) not in file.read()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A little root file system, as a plain tar archive."""
    path = tmp_path / "root.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, mode in (("etc", 0o755), ("tmp", 0o1777), ("bin", 0o755)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        for name, data, mode in (
            ("etc/passwd", b"root:x:0:0::/:/bin/sh\n", 0o644),
            ("etc/old", b"old", 0o600),
            ("bin/tool", b"#!/bin/sh\n", 0o4755),
        ):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), mode, 1_000_000
            tar.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("bin/sh")
        link.type, link.linkname = tarfile.SYMTYPE, "tool"
        tar.addfile(link)
    return path
