"""``pyctr stop``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.shared import SIGNAL, TIMEOUT, ending
from pyctr.errors import NotModified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    how = ending(parsed)

    def stop(name: str) -> None:
        try:  # noqa: SIM105 - contextlib is not worth its import
            context.engine.containers.stop(name, **how)
        except NotModified:  # stopped already is as good
            pass

    return for_each(context, parsed.arguments, stop)


COMMAND = Command(
    "stop",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Stop one or more running containers",
    run=run,
    options=(SIGNAL, TIMEOUT),
    least=1,
    aliases=("container stop",),
    complete="running",
)
