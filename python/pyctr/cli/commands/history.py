"""``pyctr history``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.output.listing import FORMAT_HELP
from pyctr.cli.values import BOOL, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.output.history import HISTORY_HEADERS, history_record
    from pyctr.cli.output.listing import render

    human, truncate = parsed["human"], not parsed["no-trunc"]
    source = parsed["format"] or "table"
    if source == "table":
        created = "{{.CreatedSince}}" if human else "{{.CreatedAt}}"
        table = f"table {{{{.ID}}}}\t{created}\t{{{{.CreatedBy}}}}\t{{{{.Size}}}}\t{{{{.Comment}}}}"
        source = "{{.ID}}" if parsed["quiet"] else table
    steps = context.engine.images.history(parsed.arguments[0])
    records = [history_record(step, human=human, truncate=truncate) for step in steps]
    context.write(render(source, records, HISTORY_HEADERS))


COMMAND = Command(
    "history",
    "[OPTIONS] IMAGE",
    "Show the history of an image",
    run=run,
    options=(
        Option("format", "", STRING, FORMAT_HELP, default=""),
        Option("human", "H", BOOL, "Print sizes and dates in human readable format", default=True),
        Option("no-trunc", "", BOOL, "Don't truncate output"),
        Option("quiet", "q", BOOL, "Only show image IDs"),
    ),
    least=1,
    most=1,
    aliases=("image history",),
    complete="images",
)
