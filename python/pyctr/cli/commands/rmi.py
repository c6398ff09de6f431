"""``pyctr rmi``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import remove_each
from pyctr.cli.values import BOOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    force, prune = parsed["force"], not parsed["no-prune"]

    def remove(name: str) -> list[str]:
        steps = context.engine.images.remove(name, force=force, prune=prune)
        return [f"{what}: {ref}" for step in steps for what, ref in step.items()]

    return remove_each(context, parsed.arguments, remove, force=force)


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
