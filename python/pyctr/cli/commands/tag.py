"""``pyctr tag``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    context.engine.images.tag(*parsed.arguments)


COMMAND = Command(
    "tag",
    "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    run=run,
    least=2,
    most=2,
    aliases=("image tag",),
    complete="images",
)
