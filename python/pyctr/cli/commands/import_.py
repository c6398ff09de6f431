"""``pyctr import``."""

from __future__ import annotations

import os

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.values import STRING, STRINGS
from pyctr.errors import InvalidParameter, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    source = parsed.arguments[0]
    ref = parsed.arguments[1] if len(parsed.arguments) > 1 else None
    opened = _open(source)
    try:
        image = context.engine.images.import_(
            opened,
            ref=ref,
            changes=parsed["change"],
            message=parsed["message"],
            platform=parsed["platform"],
        )
    finally:
        if isinstance(opened, int) and opened > 0:
            os.close(opened)
    context.print(image)


def _open(source: str) -> int | str:
    """Return standard input, a URL as it is, or the opened file."""
    if source == "-":
        from pyctr.cli.terminal import is_terminal

        if is_terminal(0):
            raise InvalidParameter("cowardly refusing to read an archive from a terminal")
        return 0
    if source.startswith(("http://", "https://")):
        return source
    try:
        return os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as problem:
        reason = (problem.strerror or "failed").lower()
        raise SystemFailure(f"open {source}: {reason}", errno=problem.errno or 0) from None


COMMAND = Command(
    "import",
    "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    "Import the contents from a tarball to create a filesystem image",
    run=run,
    options=(
        Option("change", "c", STRINGS, "Apply Dockerfile instruction to the created image"),
        Option("message", "m", STRING, "Set commit message for imported image", default=""),
        Option("platform", "", STRING, "Set platform of the image (os/arch[/variant])", default=""),
    ),
    least=1,
    most=2,
    aliases=("image import",),
    complete="files",
)
