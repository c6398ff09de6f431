"""Rows for tests."""

from __future__ import annotations

import time
from typing import Any

from pyctr.store import names
from pyctr.store.containers import COLUMNS, Row

DEFAULTS: dict[str, Any] = {
    "image": "host",
    "image_id": "sha256:" + "a" * 64,
    "command": "true",
    "network": "none",
    "labels": "",
    "mounts": "",
    "auto_remove": 0,
    "state": "created",
    "owner": "",
    "boot": "",
    "pid": 0,
    "started": 0,
    "finished": 0,
    "exit_code": 0,
    "oom_killed": 0,
    "error": "",
    "doc": "{}",
}


def row(**columns: Any) -> Row:
    """A row with these columns, and plausible others."""
    id = columns.get("id") or names.new_id()
    values = {**DEFAULTS, "id": id, "name": f"n{id[:8]}", "created": time.time_ns(), **columns}
    return Row(values[column] for column in COLUMNS)
