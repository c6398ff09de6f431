"""``pyctr diff``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context

_LETTERS = "CAD"


def run(context: Context, parsed: Parsed) -> None:
    changes = context.engine.containers.changes(parsed.arguments[0]) or []
    context.write("".join(f"{_LETTERS[change['Kind']]} {change['Path']}\n" for change in changes))


COMMAND = Command(
    "diff",
    "CONTAINER",
    "Inspect changes to files or directories on a container's filesystem",
    run=run,
    least=1,
    most=1,
    aliases=("container diff",),
    complete="containers",
)
