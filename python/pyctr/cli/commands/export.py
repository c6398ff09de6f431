"""``pyctr export``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.values import STRING
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.files import replacing

    name, output = parsed.arguments[0], parsed["output"]
    if output:
        with replacing(output) as fd:
            context.engine.containers.export(name, fd)
        return
    from pyctr.cli.terminal import is_terminal

    if is_terminal(1):
        raise InvalidParameter("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    context.engine.containers.export(name, 1)


COMMAND = Command(
    "export",
    "[OPTIONS] CONTAINER",
    "Export a container's filesystem as a tar archive",
    run=run,
    options=(
        Option("output", "o", STRING, "Write to a file, instead of STDOUT", default="", complete="files"),
    ),
    least=1,
    most=1,
    aliases=("container export",),
    complete="containers",
)
