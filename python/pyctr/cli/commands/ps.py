"""``pyctr ps``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.output.listing import FORMAT_HELP
from pyctr.cli.values import BOOL, FILTER, INT, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context
    from pyctr.engine.types import ContainerSummary

_TABLE = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"


def run(context: Context, parsed: Parsed) -> None:
    source = _source(parsed)
    if parsed["quiet"] and parsed["format"]:
        context.warn("ignoring custom format, because both --format and --quiet are set")
    last = 1 if parsed["latest"] else parsed["last"]
    summaries = context.engine.containers.list(
        all=parsed["all"] or last > 0,
        filters=parsed["filter"],
        limit=max(last, 0),
        size=parsed["size"] or ".Size" in source or "json .}" in source,
    )
    context.write(listing(summaries, source, truncate=not parsed["no-trunc"]))


def _source(parsed: Parsed) -> str:
    source = parsed["format"]
    if source in ("", "table"):
        table = _TABLE + ("\t{{.Size}}" if parsed["size"] else "")
        return "{{.ID}}" if parsed["quiet"] else table
    return "{{.ID}}" if parsed["quiet"] else str(source)


def listing(summaries: list[ContainerSummary], source: str, *, truncate: bool) -> str:
    """Return the listing of containers by a template."""
    if source == "{{.ID}}":
        return "".join(f"{summary['Id'][:12] if truncate else summary['Id']}\n" for summary in summaries)
    from pyctr.cli.output.listing import render
    from pyctr.cli.output.rows import CONTAINER_HEADERS, container_record

    records = (container_record(summary, truncate=truncate) for summary in summaries)
    return render(source, records, CONTAINER_HEADERS)


COMMAND = Command(
    "ps",
    "[OPTIONS]",
    "List containers",
    run=run,
    options=(
        Option("all", "a", BOOL, "Show all containers (default shows just running)"),
        Option("filter", "f", FILTER, "Filter output based on conditions provided"),
        Option("format", "", STRING, FORMAT_HELP, default=""),
        Option("last", "n", INT, "Show n last created containers (includes all states)", default=-1),
        Option("latest", "l", BOOL, "Show the latest created container (includes all states)"),
        Option("no-trunc", "", BOOL, "Don't truncate output"),
        Option("quiet", "q", BOOL, "Only display container IDs"),
        Option("size", "s", BOOL, "Display total file sizes"),
    ),
    most=0,
    aliases=("container ls", "container list", "container ps"),
)
