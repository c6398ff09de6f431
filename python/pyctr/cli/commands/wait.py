"""``pyctr wait``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.each import for_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    wait = context.engine.containers.wait
    return for_each(context, parsed.arguments, lambda name: wait(name)["StatusCode"])


COMMAND = Command(
    "wait",
    "CONTAINER [CONTAINER...]",
    "Block until one or more containers stop, then print their exit codes",
    run=run,
    least=1,
    aliases=("container wait",),
    complete="containers",
)
