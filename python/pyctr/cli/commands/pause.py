"""``pyctr pause``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.each import for_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    containers = context.engine.containers
    return for_each(context, parsed.arguments, containers.pause)


COMMAND = Command(
    "pause",
    "CONTAINER [CONTAINER...]",
    "Pause all processes within one or more containers",
    run=run,
    least=1,
    aliases=("container pause",),
    complete="running",
)
