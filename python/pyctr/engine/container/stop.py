"""stop: ask, wait, then kill."""

from __future__ import annotations

from pyctr import _core
from pyctr.engine import signals
from pyctr.engine.container.kill import send
from pyctr.engine.state import LIVE, settle
from pyctr.errors import NotModified, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

DEFAULT_SECONDS = 10
KILL_SECONDS = 10
"""How long a killed container may take; longer means that the kernel holds on to one of its processes."""
FOR_EVER = -1


def stop(core: Core, ref: str, *, timeout: int | None = None, signal: str | None = None) -> None:
    """``POST /containers/{id}/stop``."""
    row = core.container(ref)
    if row.state not in LIVE:
        raise NotModified(f"container {ref} is not running")
    end_gently(core, row, timeout, signal)
    core.note(row, "stop")


def end_gently(core: Core, row: Row, timeout: int | None, signal: str | None) -> None:
    """Signal, wait, kill if it must be; returns when the container has ended."""
    config = core.config(row)
    number = signals.parse(signal or config.get("StopSignal") or "SIGTERM")
    if timeout is None:
        timeout = config.get("StopTimeout")
    if timeout is None:
        timeout = DEFAULT_SECONDS
    if send(core, row, number):
        if row.state == "paused":
            # What is frozen cannot react. It gets its chance once it thaws.
            from pyctr.engine import cgroups

            cgroups.freeze(core, row, frozen=False)
        if await_end(core, row, timeout):
            return
    kill_and_wait(core, row)


def kill_and_wait(core: Core, row: Row) -> None:
    """End it whatever it says; returns when it has ended."""
    if send(core, row, signals.NUMBERS["KILL"]) and await_end(core, row, KILL_SECONDS):
        return
    if not _core.locks_held([core.paths.shim_lock(row.id)])[0]:
        settle(core, row.id)
        return
    from pyctr.engine import cgroups

    cgroups.kill(core, row)
    if not await_end(core, row, KILL_SECONDS):
        raise Unavailable(f"container {row.name} does not end: a process of it ignores even SIGKILL")


def await_end(core: Core, row: Row, seconds: float) -> bool:
    """Wait for the supervisor to end, -1 for ever, and settle; False if time is up."""
    if not _core.wait_lock(core.paths.shim_lock(row.id), None if seconds == FOR_EVER else float(seconds)):
        return False
    settle(core, row.id)
    return True
