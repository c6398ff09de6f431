"""``pyctr volume prune``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.shared import PRUNE_FORCE, filter_option
from pyctr.cli.values import BOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context

_ANONYMOUS = "This will remove anonymous local volumes not used by at least one container."
_ALL = "This will remove all local volumes not used by at least one container."


def run(context: Context, parsed: Parsed) -> int:
    from pyctr.cli.prune import agreed, tell

    if not parsed["force"] and not agreed(context, _ALL if parsed["all"] else _ANONYMOUS):
        return 0
    filters = {**parsed["filter"], **({"all": ["true"]} if parsed["all"] else {})}
    reply = context.engine.volumes.prune(filters)
    tell(context, "Deleted Volumes", reply.get("VolumesDeleted") or (), reply.get("SpaceReclaimed", 0))
    return 0


COMMAND = Command(
    "volume prune",
    "[OPTIONS]",
    "Remove unused local volumes",
    run=run,
    options=(
        Option("all", "a", BOOL, "Remove all unused volumes, not just anonymous ones"),
        filter_option("label=<label>"),
        PRUNE_FORCE,
    ),
    most=0,
)
