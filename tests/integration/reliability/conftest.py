"""A host that is looked at from all sides: whatever breaks, it must be clean again."""

from __future__ import annotations

import os
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


@pytest.fixture
def host(tmp_path: Path, archive: bytes) -> Iterator[Host]:
    """A store with the image ``busybox``; at the end all its containers go, and nothing may be left."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    host = Host(Pyctr(tmp_path), tmp_path)
    host.pyctr.ok("import", "-", "busybox", stdin=archive)
    yield host
    host.empty()
