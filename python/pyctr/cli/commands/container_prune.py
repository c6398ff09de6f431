"""``pyctr container prune``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.shared import PRUNE_FORCE, filter_option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    from pyctr.cli.prune import agreed, tell

    if not parsed["force"] and not agreed(context, "This will remove all stopped containers."):
        return 0
    reply = context.engine.containers.prune(parsed["filter"])
    tell(context, "Deleted Containers", reply.get("ContainersDeleted") or (), reply.get("SpaceReclaimed", 0))
    return 0


COMMAND = Command(
    "container prune",
    "[OPTIONS]",
    "Remove all stopped containers",
    run=run,
    options=(filter_option("until=<timestamp>"), PRUNE_FORCE),
    most=0,
)
