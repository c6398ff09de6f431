"""``pyctr volume rm``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.values import BOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    force, remove = parsed["force"], context.engine.volumes.remove
    return for_each(context, parsed.arguments, lambda name: remove(name, force=force))


COMMAND = Command(
    "volume rm",
    "[OPTIONS] VOLUME [VOLUME...]",
    "Remove one or more volumes",
    run=run,
    options=(Option("force", "f", BOOL, "Force the removal of one or more volumes"),),
    least=1,
    aliases=("volume remove",),
    complete="volumes",
)
