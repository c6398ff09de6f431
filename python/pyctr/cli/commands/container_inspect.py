"""``pyctr container inspect``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.commands.inspect import FORMAT, inspect_objects
from pyctr.cli.values import BOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    return inspect_objects(context, parsed, ("container",), size=parsed["size"])


COMMAND = Command(
    "container inspect",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Display detailed information on one or more containers",
    run=run,
    options=(FORMAT, Option("size", "s", BOOL, "Display total file sizes")),
    least=1,
    complete="containers",
)
