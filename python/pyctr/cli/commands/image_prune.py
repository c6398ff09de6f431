"""``pyctr image prune``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.shared import PRUNE_FORCE, filter_option
from pyctr.cli.values import BOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context

_DANGLING = "This will remove all dangling images."
_ALL = "This will remove all images without at least one container associated to them."


def run(context: Context, parsed: Parsed) -> int:
    from pyctr.cli.prune import agreed, tell

    if not parsed["force"] and not agreed(context, _ALL if parsed["all"] else _DANGLING):
        return 0
    filters = {**parsed["filter"], "dangling": ["false" if parsed["all"] else "true"]}
    reply = context.engine.images.prune(filters)
    steps = reply.get("ImagesDeleted") or ()
    lines = (f"{what.lower()}: {ref}" for step in steps for what, ref in step.items())
    tell(context, "Deleted Images", lines, reply.get("SpaceReclaimed", 0))
    return 0


COMMAND = Command(
    "image prune",
    "[OPTIONS]",
    "Remove unused images",
    run=run,
    options=(
        Option("all", "a", BOOL, "Remove all unused images, not just dangling ones"),
        filter_option("until=<timestamp>"),
        PRUNE_FORCE,
    ),
    most=0,
)
