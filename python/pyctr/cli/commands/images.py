"""``pyctr images``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.output.listing import FORMAT_HELP
from pyctr.cli.values import BOOL, FILTER, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context

_END = "{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}"
_TABLE = "table {{.Repository}}\t{{.Tag}}\t" + _END
_TABLE_DIGESTS = "table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t" + _END


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.output.listing import render
    from pyctr.cli.output.rows import IMAGE_HEADERS, image_records

    filters = dict(parsed["filter"])
    if parsed.arguments:
        filters["reference"] = [*filters.get("reference", []), parsed.arguments[0]]
    source = parsed["format"] or "table"
    digests = parsed["digests"] or ".Digest" in source
    if source == "table":
        source = "{{.ID}}" if parsed["quiet"] else _TABLE_DIGESTS if digests else _TABLE
    elif source.startswith("table") and digests and ".Digest" not in source:
        source += "\t{{.Digest}}"
    summaries = context.engine.images.list(all=parsed["all"], filters=filters, digests=digests)
    records = [
        record
        for summary in summaries
        for record in image_records(summary, truncate=not parsed["no-trunc"], digests=digests)
    ]
    context.write(render(source, records, IMAGE_HEADERS))


COMMAND = Command(
    "images",
    "[OPTIONS] [REPOSITORY[:TAG]]",
    "List images",
    run=run,
    options=(
        Option("all", "a", BOOL, "Show all images (default hides intermediate and dangling images)"),
        Option("digests", "", BOOL, "Show digests"),
        Option("filter", "f", FILTER, "Filter output based on conditions provided"),
        Option("format", "", STRING, FORMAT_HELP, default=""),
        Option("no-trunc", "", BOOL, "Don't truncate output"),
        Option("quiet", "q", BOOL, "Only show image IDs"),
    ),
    most=1,
    aliases=("image ls", "image list"),
    complete="images",
)
