"""kill: send a signal to the container's first process."""

from __future__ import annotations

from errno import ENOENT

from pyctr.engine import signals
from pyctr.engine.session import SupervisorGone, ask
from pyctr.engine.state import LIVE
from pyctr.errors import Conflict, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row


def kill(core: Core, ref: str, signal: str = "SIGKILL") -> None:
    """``POST /containers/{id}/kill``."""
    number = signals.parse(signal)
    row = core.container(ref)
    if row.state not in LIVE:
        raise Conflict(f"cannot kill container: {ref}: container {row.id} is not running")
    send(core, row, number)


def send(core: Core, row: Row, number: int) -> bool:
    """Signal a running container; says whether its supervisor was there to do it."""
    try:
        ask(core.paths.bundle(row.id), {"op": "signal", "signal": number})
    except (SupervisorGone, Conflict):
        return False
    core.note(row, "kill", signal=str(number))
    if row.state == "paused" and number in _ending(core, row):
        _wake(core, row)
    return True


def _wake(core: Core, row: Row) -> None:
    """A frozen process does what a signal says only when it thaws; but on version 2 it is killed at once."""
    from pyctr.engine import cgroups

    try:
        cgroups.freeze(core, row, frozen=False)
    except SystemFailure as error:
        if error.errno != ENOENT:
            raise
        return
    core.containers.change(row.id, ("paused",), state="running")


def _ending(core: Core, row: Row) -> tuple[int, ...]:
    """The signals that are meant to end a container, for which a paused one wakes up."""
    stop = core.document(row)["Config"].get("StopSignal") or "TERM"
    return (signals.NUMBERS["KILL"], signals.parse(stop))
