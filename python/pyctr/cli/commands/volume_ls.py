"""``pyctr volume ls``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.output.listing import FORMAT_HELP
from pyctr.cli.values import BOOL, FILTER, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.output.listing import render
    from pyctr.cli.output.rows import VOLUME_HEADERS, volume_record

    source = parsed["format"] or "table"
    if source == "table":
        source = "{{.Name}}" if parsed["quiet"] else "table {{.Driver}}\t{{.Name}}"
    volumes = context.engine.volumes.list(parsed["filter"])["Volumes"]
    volumes.sort(key=lambda volume: volume["Name"])
    context.write(render(source, map(volume_record, volumes), VOLUME_HEADERS))


COMMAND = Command(
    "volume ls",
    "[OPTIONS]",
    "List volumes",
    run=run,
    options=(
        Option("filter", "f", FILTER, 'Provide filter values (e.g. "dangling=true")'),
        Option("format", "", STRING, FORMAT_HELP, default=""),
        Option("quiet", "q", BOOL, "Only display volume names"),
    ),
    most=0,
    aliases=("volume list",),
)
