"""wait: block until a container ends, or is gone."""

from __future__ import annotations

import time

from pyctr import _core
from pyctr.engine.state import LIVE, refresh
from pyctr.errors import ContainerNotFound, InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

POLL_SECONDS = 0.05
"""How often to look for what the kernel cannot wake us for: a start, a removal."""


def wait(core: Core, ref: str, condition: str = "not-running") -> t.WaitReply:
    """``POST /containers/{id}/wait``."""
    if condition not in ("not-running", "next-exit", "removed"):
        raise InvalidParameter(f'invalid condition: "{condition}"')
    row: Row | None = core.container(ref)
    last = row
    if row is not None and condition == "next-exit":
        row = _until_live(core, row)
    while row is not None and (row.state in LIVE or row.state == "starting"):
        last = row
        row = _next_state(core, row)
    while row is not None and condition == "removed":
        last = row
        time.sleep(POLL_SECONDS)
        row = _fresh(core, row.id)
    return reply(row or last)


def reply(row: Row | None) -> t.WaitReply:
    """What there is to say about a container that ended."""
    if row is None:
        raise ContainerNotFound("no such container")
    answer: t.WaitReply = {"StatusCode": row.exit_code}
    if row.error:
        answer["Error"] = {"Message": row.error}
    return answer


def _next_state(core: Core, row: Row) -> Row | None:
    """The row once the container has ended; with its exit code even if it is removed then (``--rm``)."""
    record = None
    if row.state in LIVE:
        record = _record_at_end(core, row)
    else:
        time.sleep(POLL_SECONDS)
    now = _fresh(core, row.id)
    if now is None and record is not None:
        return row.replaced(state="exited", exit_code=record["exit_code"], error=record.get("error") or "")
    return now


def _record_at_end(core: Core, row: Row) -> dict[str, int | str] | None:
    """Ask the supervisor to tell: its record may be gone by the time we could read it."""
    from pyctr.engine.session import SupervisorGone, connect

    try:
        session = connect(core.paths.bundle(row.id))
    except SupervisorGone:
        _core.wait_lock(core.paths.shim_lock(row.id), 1.0)
        return None
    return session.await_record({"op": "wait"})


def _until_live(core: Core, row: Row) -> Row | None:
    while row.state not in LIVE:
        time.sleep(POLL_SECONDS)
        now = _fresh(core, row.id)
        if now is None:
            return None
        row = now
    return row


def _fresh(core: Core, id: str) -> Row | None:
    row = core.containers.get(id)
    return refresh(core, row) if row is not None else None
