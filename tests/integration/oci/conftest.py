"""A runtime of each test's own; whatever a test leaves on the host fails it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.oci.runtime import BUSYBOX, Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def oci(tmp_path: Path) -> Iterator[Runtime]:
    """The OCI command line with an empty state directory; afterwards nothing may be left."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if not Path(BUSYBOX).exists():
        pytest.skip(f"no {BUSYBOX}: apt install busybox-static")
    runtime = Runtime(tmp_path)
    try:
        yield runtime
    finally:
        runtime.clean()
    # The root file systems are two megabytes each.
    shutil.rmtree(tmp_path)
