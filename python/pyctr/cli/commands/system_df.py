"""``pyctr system df``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.output.listing import FORMAT_HELP
from pyctr.cli.values import BOOL, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context

_TABLE = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.output import disk
    from pyctr.cli.output.listing import render

    source = parsed["format"]
    if parsed["verbose"]:
        context.write(disk.details(context.engine.disk_usage(), source))
        return
    records = disk.summary_records(context.engine.disk_usage())
    context.write(render(_TABLE if source in ("", "table") else source, records, disk.SUMMARY_HEADERS))


COMMAND = Command(
    "system df",
    "[OPTIONS]",
    "Show pyctr disk usage",
    run=run,
    options=(
        Option("format", "", STRING, FORMAT_HELP, default=""),
        Option("verbose", "v", BOOL, "Show detailed information on space usage"),
    ),
    most=0,
)
