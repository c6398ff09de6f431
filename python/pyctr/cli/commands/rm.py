"""``pyctr rm``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.values import BOOL
from pyctr.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    force, volumes = parsed["force"], parsed["volumes"]

    def remove(name: str) -> list[str] | None:
        try:
            context.engine.containers.remove(name.strip("/"), force=force, volumes=volumes)
        except NotFound as problem:
            if not force:
                raise
            context.note(f"pyctr: {problem.message}")
            return []
        return None

    return for_each(context, parsed.arguments, remove)


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
