"""prune: remove every container that does not run."""

from __future__ import annotations

from pyctr.engine.clock import parse_moment
from pyctr.engine.container.remove import remove
from pyctr.engine.container.select import check_filters, has_label
from pyctr.engine.recover import everything
from pyctr.engine.state import STARTABLE
from pyctr.errors import PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core


def prune(core: Core, filters: t.Filters | None = None) -> t.PruneReply:
    """``POST /containers/prune``. What cannot be removed is left for the next time."""
    filters = filters or {}
    check_filters(filters, ("until", "label", "label!"))
    until = min((parse_moment("until", text) or 0 for text in filters.get("until", ())), default=None)
    deleted, freed = [], 0
    for row in everything(core):
        if row.state not in STARTABLE or (until is not None and row.created > until):
            continue
        if not all(has_label(row.labels, label) for label in filters.get("label", ())):
            continue
        if any(has_label(row.labels, label) for label in filters.get("label!", ())):
            continue
        size = core.driver.size(row.id)
        try:
            remove(core, row.id)
        except PyctrError:
            continue
        deleted.append(row.id)
        freed += size
    return {"ContainersDeleted": deleted, "SpaceReclaimed": freed}
