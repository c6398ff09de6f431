"""``pyctr kill``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.shared import SIGNAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    signal = parsed["signal"] or "SIGKILL"
    kill = context.engine.containers.kill
    return for_each(context, parsed.arguments, lambda name: kill(name, signal))


COMMAND = Command(
    "kill",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Kill one or more running containers",
    run=run,
    options=(SIGNAL,),
    least=1,
    aliases=("container kill",),
    complete="running",
)
