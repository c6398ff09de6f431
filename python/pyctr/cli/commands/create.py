"""``pyctr create``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.creation import CidFile, prepare
from pyctr.cli.run_options import CREATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    body = prepare(context, parsed)
    with CidFile(parsed["cidfile"]) as cid_file:
        reply = context.engine.containers.create(body, parsed["name"] or None)
        cid_file.write(reply["Id"])
    for warning in reply["Warnings"]:
        context.warn(warning)
    context.print(reply["Id"])


COMMAND = Command(
    "create",
    "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    "Create a new container",
    run=run,
    options=CREATE,
    least=1,
    aliases=("container create",),
    interspersed=False,
    complete="image",
)
