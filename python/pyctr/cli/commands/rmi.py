"""``pyctr rmi``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.values import BOOL
from pyctr.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    force, prune = parsed["force"], not parsed["no-prune"]

    def remove(name: str) -> list[str]:
        try:
            steps = context.engine.images.remove(name, force=force, prune=prune)
        except NotFound as problem:
            if not force:
                raise
            context.note(f"pyctr: {problem.message}")
            return []
        return [f"{what}: {ref}" for step in steps for what, ref in step.items()]

    return for_each(context, parsed.arguments, remove)


COMMAND = Command(
    "rmi",
    "[OPTIONS] IMAGE [IMAGE...]",
    "Remove one or more images",
    run=run,
    options=(
        Option("force", "f", BOOL, "Force removal of the image"),
        Option("no-prune", "", BOOL, "Do not delete untagged parents"),
    ),
    least=1,
    aliases=("image rm", "image remove"),
    complete="images",
)
