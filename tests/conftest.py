"""Fixtures that more than one area uses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from pyctr.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# The same examples in every run: a change is judged by what it changed. Others with PYCTR_TEST_FULL=1.
settings.register_profile("same", derandomize=True)
if not os.environ.get("PYCTR_TEST_FULL"):
    settings.load_profile("same")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store of this test's own."""
    store = Store(str(tmp_path / "root"), str(tmp_path / "run"))
    store.db.connection()
    yield store
    store.close()
