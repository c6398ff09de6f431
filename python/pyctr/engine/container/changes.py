"""diff: what a container's file system differs in from its image."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core

KINDS = {"C": 0, "A": 1, "D": 2}


def changes(core: Core, ref: str) -> t.Changes:
    """``GET /containers/{id}/changes``."""
    row = core.container(ref)
    return [{"Path": os.fsdecode(path), "Kind": KINDS[kind]} for kind, path in core.driver.changes(row.id)]
