"""``pyctr container prune``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.values import BOOL, FILTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    from pyctr.cli.prune import agreed, tell

    if not parsed["force"] and not agreed(context, "This will remove all stopped containers."):
        return 1
    reply = context.engine.containers.prune(parsed["filter"])
    tell(context, "Deleted Containers", reply.get("ContainersDeleted") or (), reply.get("SpaceReclaimed", 0))
    return 0


COMMAND = Command(
    "container prune",
    "[OPTIONS]",
    "Remove all stopped containers",
    run=run,
    options=(
        Option("filter", "", FILTER, 'Provide filter values (e.g. "until=<timestamp>")'),
        Option("force", "f", BOOL, "Do not prompt for confirmation"),
    ),
    most=0,
)
