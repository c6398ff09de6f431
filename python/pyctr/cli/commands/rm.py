"""``pyctr rm``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import remove_each
from pyctr.cli.values import BOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    force, volumes = parsed["force"], parsed["volumes"]

    def remove(name: str) -> None:
        context.engine.containers.remove(name.strip("/"), force=force, volumes=volumes)

    return remove_each(context, parsed.arguments, remove, force=force)


COMMAND = Command(
    "rm",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Remove one or more containers",
    run=run,
    options=(
        Option("force", "f", BOOL, "Force the removal of a running container (uses SIGKILL)"),
        Option("volumes", "v", BOOL, "Remove anonymous volumes associated with the container"),
    ),
    least=1,
    aliases=("container rm", "container remove"),
    complete="containers",
)
