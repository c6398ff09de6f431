"""wait: block until a container ends, or is gone."""

from __future__ import annotations

import time

from pyctr import _core
from pyctr.engine.session import SupervisorGone, connect
from pyctr.engine.state import (
    DEAD_ERROR,
    DEAD_EXIT_CODE,
    ENDED,
    LAST_SECONDS,
    LIVE,
    read_record,
    refresh,
)
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
    if row is not None and condition == "next-exit":
        row = _until_live(core, row)
    last: Row | None = None
    while last is None and row is not None and (row.state in LIVE or row.state == "starting"):
        last = _await_end(core, row)
        row = _fresh(core, row.id)
    if row is not None and (last is None or row.state in ENDED):
        last = row
    while row is not None and condition == "removed":
        time.sleep(POLL_SECONDS)
        row = _fresh(core, row.id)
    if last is None:
        raise ContainerNotFound(f"no such container: {ref}")
    return reply(last)


def reply(row: Row) -> t.WaitReply:
    """What there is to say about a container that ended."""
    answer: t.WaitReply = {"StatusCode": row.exit_code}
    if row.error:
        answer["Error"] = {"Message": row.error}
    return answer


def _await_end(core: Core, row: Row) -> Row | None:
    """Wait, and have the supervisor tell how it ended: with ``--rm`` nobody could tell later.

    None where there was no supervisor to ask, or not yet.
    """
    try:
        session = connect(core.paths.bundle(row.id))
    except SupervisorGone:
        time.sleep(POLL_SECONDS)
        return None
    record = session.await_record({"op": "wait"})
    _core.wait_lock(core.paths.shim_lock(row.id), LAST_SECONDS)
    record = record or read_record(core, row)
    if record is None:
        return row.replaced(state="dead", exit_code=DEAD_EXIT_CODE, error=DEAD_ERROR)
    return row.replaced(state="exited", exit_code=record["exit_code"], error=record.get("error") or "")


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
