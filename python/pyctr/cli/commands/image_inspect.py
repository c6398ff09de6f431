"""``pyctr image inspect``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.commands.inspect import FORMAT, inspect_objects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    return inspect_objects(context, parsed, ("image",))


COMMAND = Command(
    "image inspect",
    "[OPTIONS] IMAGE [IMAGE...]",
    "Display detailed information on one or more images",
    run=run,
    options=(FORMAT,),
    least=1,
    complete="images",
)
