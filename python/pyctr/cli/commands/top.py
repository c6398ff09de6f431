"""``pyctr top``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.output.tabwriter import align

    name, *ps_arguments = parsed.arguments
    reply = context.engine.containers.top(name, " ".join(ps_arguments))
    lines = ("\t".join(row) + "\n" for row in (reply["Titles"], *reply["Processes"]))
    context.write(align("".join(lines), narrowest=20))


COMMAND = Command(
    "top",
    "CONTAINER [ps OPTIONS]",
    "Display the running processes of a container",
    run=run,
    least=1,
    aliases=("container top",),
    interspersed=False,
    complete="running",
)
