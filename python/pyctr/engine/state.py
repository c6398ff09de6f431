"""From what the kernel knows to what the row says: who lives, who ended, and how.

A container's supervisor holds a lock while it lives, so a row that says *running* is believed as long as that
is held. Whoever finds it free writes down how the container ended: from the exit record, or, when the
supervisor was killed before it could write one, that the container is dead.
"""

from __future__ import annotations

import os
import time

from pyctr import _core
from pyctr.engine.clock import parse_rfc3339
from pyctr.errors import PyctrError
from pyctr.store import files, owner
from pyctr.store.json import loads
from pyctr.store.locks import DirLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

LIVE = ("running", "paused")
"""The states of a container that has processes."""
STARTABLE = ("created", "exited", "dead")
ENDED = ("exited", "dead")
REBOOT_EXIT_CODE = 255
DEAD_EXIT_CODE = 137
LAST_SECONDS = 5.0
"""How long a supervisor may take to end after it said that the container did."""
DEAD_ERROR = "the container's supervisor was killed"


def is_live(core: Core, row: Row) -> bool:
    """Whether the container's supervisor lives."""
    return _core.locks_held([core.paths.shim_lock(row.id)])[0]


def refresh(core: Core, row: Row) -> Row | None:
    """The row as it is now; None when the container is gone (``--rm``)."""
    if row.owner and row.state not in LIVE:
        from pyctr.engine.recover import take_over

        take_over(core, row.id, row.owner)
        return core.containers.get(row.id)
    if row.state in LIVE and not is_live(core, row):
        return settle(core, row.id)
    return row


def refresh_all(core: Core, rows: Iterable[Row]) -> list[Row]:
    """The same for many, with one look at all their locks."""
    rows = list(rows)
    live = [row for row in rows if row.state in LIVE]
    locks = _core.locks_held([core.paths.shim_lock(row.id) for row in live])
    held = {row.id: locked for row, locked in zip(live, locks, strict=True)}
    fresh = []
    for row in rows:
        now: Row | None = row
        if (row.owner and row.state not in LIVE) or held.get(row.id) is False:
            now = refresh(core, row)
        if now is not None:
            fresh.append(now)
    return fresh


def settle(core: Core, id: str, record: dict[str, Any] | None = None) -> Row | None:
    """Write down that a container ended; gives the row as it is then, None when it is removed (``--rm``).

    Whoever comes second, or while somebody else is at work on the container, changes nothing.
    """
    with DirLock(core.paths.container(id), wait=False) as lock:
        row = core.containers.get(id)
        if row is None or row.state not in LIVE:
            return row
        # A supervisor that told of the end clears up behind it; meanwhile we can begin to.
        told = record is not None and row.auto_remove
        if not told and is_live(core, row):
            return row
        if not lock.held and not lock.missing:
            return row
        return end(core, row, record)


def settle_ended(core: Core, id: str, record: dict[str, Any] | None) -> int:
    """Settle after a session saw the container end, or its supervisor vanish; gives the exit code.

    Without a record from the supervisor itself that is never 0: SupervisorGone where the container succeeded
    and the session cannot know whether it was told everything.
    """
    row = settle(core, id, record) if record is not None else core.containers.get(id)
    if row is not None and row.state in LIVE:
        _core.wait_lock(core.paths.shim_lock(id), LAST_SECONDS)
        row = settle(core, id, record)
    if record is not None:
        return int(record["exit_code"])
    # Somebody else may be at work on the row, or have started the container again: then it says nothing.
    if row is None or row.state not in ENDED:
        return DEAD_EXIT_CODE
    if row.exit_code == 0:
        from pyctr.engine.session import SupervisorGone

        what = f"container {row.name} ended with 0, but its supervisor broke off before it said so"
        raise SupervisorGone(what)
    return row.exit_code


def end(core: Core, row: Row, record: dict[str, Any] | None = None) -> Row | None:
    """The same for whoever holds the container's lock and knows that it ended."""
    if record is None:
        record = read_record(core, row)
    columns = _outcome(core, row, record)
    _note_end(core, row, columns)
    if row.auto_remove:
        from pyctr.engine.container.remove import erase

        erase(core, row)
        return None
    columns.update(pid=0, owner="")
    core.containers.change(row.id, (row.state,), **columns)
    remove_bundle(core, row)
    core.sweeper.start()
    return row.replaced(**columns)


def remove_bundle(core: Core, row: Row) -> None:
    """Remove the bundle of a container that ended, and its cgroups if its supervisor died at the very end.

    The supervisor's own record, state.json, goes after them. Where they cannot be removed now the bundle
    stays and tells the next command.
    """
    bundle = core.paths.bundle(row.id)
    if os.path.exists(f"{bundle}/state.json"):
        from pyctr.engine import cgroups

        try:
            cgroups.destroy(core, row)
        except PyctrError:
            return
    core.sweeper.remove(bundle, core.paths.run_trash)


def read_record(core: Core, row: Row) -> dict[str, Any] | None:
    """The supervisor's exit record of the last run; None when there is none, or none that can be read."""
    try:
        record = loads(files.read(core.paths.exit(row.id, row.auto_remove)) or b"null")
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("exit_code"), int) else None


def _outcome(core: Core, row: Row, record: dict[str, Any] | None) -> dict[str, Any]:
    """The columns that say how it ended."""
    if record is not None:
        return {
            "state": "exited",
            "exit_code": record["exit_code"],
            "oom_killed": int(bool(record.get("oom_killed"))),
            "finished": _moment(record.get("finished_at")),
            "error": str(record.get("error") or ""),
        }
    if row.boot != owner.boot_id():
        return {"state": "exited", "exit_code": REBOOT_EXIT_CODE, "finished": time.time_ns(), "error": ""}
    from pyctr.engine import cgroups

    cgroups.destroy(core, row)
    return {"state": "dead", "exit_code": DEAD_EXIT_CODE, "finished": time.time_ns(), "error": DEAD_ERROR}


def _moment(text: object) -> int:
    try:
        return parse_rfc3339(str(text))
    except ValueError:
        return time.time_ns()


def _note_end(core: Core, row: Row, columns: dict[str, Any]) -> None:
    if columns.get("oom_killed"):
        core.note(row, "oom")
    core.note(row, "die", at=columns["finished"], exitCode=str(columns["exit_code"]))
