"""What the verbs mean. ``connect()`` gives the engine; see ``interface.Backend`` for all it can do."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyctr.engine.interface import Backend

__all__ = ["connect"]


def connect(
    root: str | None = None,
    run_root: str | None = None,
    warn: Callable[[str], None] | None = None,
    storage_driver: str = "",
    *,
    lasting: bool = False,
) -> Backend:
    """Open the engine embedded in this process.

    ``root`` defaults to ``$PYCTR_ROOT``, then ``/var/lib/pyctr``; ``run_root`` to ``$PYCTR_RUN_ROOT``, then
    ``/run/pyctr``. Cheap: nothing is opened before the first call that needs it. ``warn`` is told when the
    store was damaged and what became of it; else Python's warnings are. ``storage_driver`` defaults to
    ``$PYCTR_STORAGE_DRIVER``, then to the one that the store has. A ``lasting`` process leaves
    some work to a thread of its own, and closes the engine at its end.
    """
    from pyctr.engine.local import LocalEngine

    return LocalEngine(root, run_root, warn, storage_driver, lasting=lasting)
