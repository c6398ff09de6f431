"""``pyctr rename``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    old, new = (name.strip() for name in parsed.arguments)
    if not old or not new:
        raise InvalidParameter("neither the old nor the new name of a container may be empty")
    context.engine.containers.rename(old, new)


COMMAND = Command(
    "rename",
    "CONTAINER NEW_NAME",
    "Rename a container",
    run=run,
    least=2,
    most=2,
    aliases=("container rename",),
    complete="containers",
)
