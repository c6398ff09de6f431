"""restart: stop if it runs, then start."""

from __future__ import annotations

from pyctr.engine.container.start import start
from pyctr.engine.container.stop import end_gently
from pyctr.engine.state import LIVE
from pyctr.errors import Conflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core


def restart(core: Core, ref: str, *, timeout: int | None = None, signal: str | None = None) -> None:
    """``POST /containers/{id}/restart``."""
    row = core.container(ref)
    if row.state in LIVE:
        if row.auto_remove:
            raise Conflict(f"cannot restart container {ref}: it is removed when it stops (--rm)")
        end_gently(core, row, timeout, signal)
    start(core, row.id)
    core.note(row, "restart")
