"""A host that is looked at from all sides: whatever breaks, it must be clean again."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.reliability.host import Host
from tests.integration.test_cli.conftest import BUSYBOX, Pyctr, busybox_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def archive() -> bytes:
    """A root file system of busybox."""
    if BUSYBOX is None:
        pytest.skip("busybox-static is not installed")
    return busybox_archive()


@pytest.fixture(scope="session")
def seed(tmp_path_factory: pytest.TempPathFactory, archive: bytes) -> Path:
    """A store with the image ``busybox``, to copy: importing it takes as long as most tests."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    directory = tmp_path_factory.mktemp("seed")
    Pyctr(directory).ok("import", "-", "busybox", stdin=archive)
    return directory / "root"


@pytest.fixture
def host(tmp_path: Path, seed: Path) -> Iterator[Host]:
    """A store with the image ``busybox``; at the end all its containers go, and nothing may be left."""
    host = Host(Pyctr(tmp_path), tmp_path)
    subprocess.run(["cp", "-a", seed, tmp_path / "root"], check=True)
    yield host
    host.empty()
