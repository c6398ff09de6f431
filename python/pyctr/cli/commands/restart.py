"""``pyctr restart``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.shared import SIGNAL, TIMEOUT, ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    how, restart = ending(parsed), context.engine.containers.restart
    return for_each(context, parsed.arguments, lambda name: restart(name, **how))


COMMAND = Command(
    "restart",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Restart one or more containers",
    run=run,
    options=(SIGNAL, TIMEOUT),
    least=1,
    aliases=("container restart",),
    complete="containers",
)
