"""``pyctr stop``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.values import INT, STRING
from pyctr.errors import NotModified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    timeout = parsed["timeout"] if "timeout" in parsed.given else None

    def stop(name: str) -> None:
        try:  # noqa: SIM105 - contextlib is not worth its import
            context.engine.containers.stop(name, timeout=timeout, signal=parsed["signal"] or None)
        except NotModified:  # stopped already is as good
            pass

    return for_each(context, parsed.arguments, stop)


COMMAND = Command(
    "stop",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Stop one or more running containers",
    run=run,
    options=(
        Option("signal", "s", STRING, "Signal to send to the container", default="", complete="signals"),
        Option("timeout", "t", INT, "Seconds to wait before killing the container", default=0, also="time"),
    ),
    least=1,
    aliases=("container stop",),
    complete="running",
)
