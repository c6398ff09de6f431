"""Fixtures that more than one area uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyctr.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store of this test's own."""
    store = Store(str(tmp_path / "root"), str(tmp_path / "run"))
    store.db.connection()
    yield store
    store.close()
