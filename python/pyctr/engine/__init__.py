"""What the verbs mean. ``connect()`` gives the engine; see ``interface.Backend`` for all it can do."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.interface import Backend

__all__ = ["connect"]


def connect(root: str | None = None, run_root: str | None = None) -> Backend:
    """Open the engine embedded in this process.

    ``root`` defaults to ``$PYCTR_ROOT``, then ``/var/lib/pyctr``; ``run_root`` to ``$PYCTR_RUN_ROOT``, then
    ``/run/pyctr``. Cheap: nothing is opened before the first call that needs it.
    """
    from pyctr.engine.local import LocalEngine

    return LocalEngine(root, run_root)
