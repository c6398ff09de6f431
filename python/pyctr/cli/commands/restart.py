"""``pyctr restart``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.values import INT, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    timeout = parsed["timeout"] if "timeout" in parsed.given else None
    signal = parsed["signal"] or None
    restart = context.engine.containers.restart
    return for_each(context, parsed.arguments, lambda name: restart(name, timeout=timeout, signal=signal))


COMMAND = Command(
    "restart",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Restart one or more containers",
    run=run,
    options=(
        Option("signal", "s", STRING, "Signal to send to the container", default="", complete="signals"),
        Option("timeout", "t", INT, "Seconds to wait before killing the container", default=0, also="time"),
    ),
    least=1,
    aliases=("container restart",),
    complete="containers",
)
