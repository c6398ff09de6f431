"""attach: join the streams of a running container. resize: tell its terminal a new size."""

from __future__ import annotations

from pyctr.engine.session import ShimSession, SupervisorGone, ask, connect
from pyctr.engine.state import LIVE, settle_ended
from pyctr.errors import Conflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core


def attach(
    core: Core, ref: str, *, stdin: bool = False, stdout: bool = True, stderr: bool = True, logs: bool = False
) -> ShimSession:
    """``POST /containers/{id}/attach``."""
    row = core.container(ref)
    if row.state == "paused":
        raise Conflict(f"container {ref} is paused, unpause the container before attach")
    if row.state not in LIVE:
        raise Conflict(f"cannot attach to the stopped container {ref}, start it first")
    session = connect(core.paths.bundle(row.id), on_end=lambda record: settle_ended(core, row.id, record))
    if logs:
        from pyctr.engine.container.logs import logs as read_logs

        session.prepend(read_logs(core, row.id, stdout=stdout, stderr=stderr))
    session.request({"op": "attach", "stdin": stdin, "stdout": stdout, "stderr": stderr})
    core.note(row, "attach")
    return session


def resize(core: Core, ref: str, rows: int, cols: int) -> None:
    """``POST /containers/{id}/resize``."""
    row = core.container(ref)
    if row.state not in LIVE:
        raise Conflict(f"cannot resize a stopped container: container {ref} is not running")
    try:
        ask(core.paths.bundle(row.id), {"op": "resize", "rows": rows, "cols": cols})
    except SupervisorGone:
        raise Conflict(f"container {ref} is not running") from None
