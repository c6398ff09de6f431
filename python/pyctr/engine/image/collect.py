"""Layers that nobody needs any more: those of removed images, and those that a dead process was making."""

from __future__ import annotations

from pyctr.store.images import LayerRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core


def collect(core: Core) -> list[dict[str, str]]:
    """Remove them; gives docker's record of each."""
    dropped = LayerRows(core.db).collect(core.driver.discard)
    if dropped:
        from pyctr.engine.recover import sweep_files

        sweep_files(core)
    return [{"Deleted": f"sha256:{layer}"} for layer in dropped]


def collect_leftovers(core: Core) -> None:
    """Remove them if a look, which takes no lock, finds any: for commands that have other things to do."""
    if LayerRows(core.db).has_leftovers():
        collect(core)
