"""ls: what there is, from the columns of the table and one look at all locks."""

from __future__ import annotations

import time

from pyctr.engine.clock import SECOND, human_duration
from pyctr.engine.container.select import networks, shown_state, tests
from pyctr.engine.recover import everything
from pyctr.store.json import loads_or

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

WORDS = {"created": "Created", "dead": "Dead", "removing": "Removal In Progress"}


def list_containers(
    core: Core, *, all: bool = False, filters: t.Filters | None = None, limit: int = 0, size: bool = False
) -> list[t.ContainerSummary]:
    """``GET /containers/json``."""
    rows = everything(core)
    filters = filters or {}
    checks = tests(core, filters)
    if not all and limit <= 0 and not filters.get("status"):
        checks.append(lambda row: row.state in ("running", "paused"))
    chosen = rows
    for check in checks:
        chosen = [row for row in chosen if check(row)]
    if limit > 0:
        chosen = chosen[:limit]
    now = time.time_ns()
    found = [summary(row, now) for row in chosen]
    if size:
        for item, row in zip(found, chosen, strict=True):
            item["SizeRw"], item["SizeRootFs"] = core.sizes(row)
    return found


def summary(row: Row, now: int) -> t.ContainerSummary:
    """One item of the list."""
    state = shown_state(row)
    return {
        "Id": row.id,
        "Names": ["/" + row.name],
        "Image": row.image,
        "ImageID": row.image_id,
        "Command": row.command,
        "Created": row.created // SECOND,
        "Ports": [],
        "Labels": loads_or(row.labels, {}),
        "State": state,  # type: ignore[typeddict-item]
        "Status": status(row, state, now),
        "HostConfig": {"NetworkMode": row.network},
        "NetworkSettings": {"Networks": networks(row)},
        "Mounts": loads_or(row.mounts, []),
    }


def status(row: Row, state: str, now: int) -> str:
    """``Up 3 minutes (Paused)``, ``Exited (0) 2 hours ago``."""
    if state in ("running", "paused"):
        up = f"Up {human_duration((now - row.started) // SECOND)}"
        return up + (" (Paused)" if state == "paused" else "")
    if state == "exited":
        return f"Exited ({row.exit_code}) {human_duration((now - row.finished) // SECOND)} ago"
    return WORDS.get(state, state)
