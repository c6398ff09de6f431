"""``pyctr events``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import report
from pyctr.cli.values import FILTER, STRING
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context
    from pyctr.engine.types import Event

_FORMAT_HELP = """Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template"""


def run(context: Context, parsed: Parsed) -> int:
    source = parsed["format"]
    template = None
    if source:
        from pyctr.cli.output.documents import BAD_TEMPLATE
        from pyctr.cli.output.listing import execute, parse

        try:
            template = parse("{{json .}}" if source == "json" else source, "error parsing format")
        except InvalidParameter as problem:
            report(context, problem)
            return BAD_TEMPLATE
    events = context.engine.events(
        since=parsed["since"] or None, until=parsed["until"] or None, filters=parsed["filter"]
    )
    for event in events:
        if template is None:
            context.print(line(event))
        else:
            from pyctr.cli.output.documents import typed

            context.print(execute(template, typed(_document(event))))
        context.flush()
    return 0


def _document(event: Event) -> dict[str, object]:
    """Return an event with the fields of docker's older interface, which templates still use."""
    return {
        "status": event["Action"],
        "id": event["Actor"]["ID"],
        "from": event["Actor"]["Attributes"].get("image", ""),
        **event,
    }


def line(event: Event) -> str:
    """Return an event as one line: when, what kind, what happened, to whom, and what is known of it."""
    from time import localtime, strftime

    seconds, nanoseconds = divmod(event["timeNano"], 1_000_000_000)
    zone = strftime("%z", localtime(seconds))
    when = strftime("%Y-%m-%dT%H:%M:%S", localtime(seconds)) + f".{nanoseconds:09d}{zone[:3]}:{zone[3:]}"
    actor = event["Actor"]
    known = ", ".join(f"{key}={value}" for key, value in sorted(actor["Attributes"].items()))
    return f"{when} {event['Type']} {event['Action']} {actor['ID']}" + (f" ({known})" if known else "")


COMMAND = Command(
    "events",
    "[OPTIONS]",
    "Get real time events from the engine",
    run=run,
    options=(
        Option("filter", "f", FILTER, "Filter output based on conditions provided"),
        Option("format", "", STRING, _FORMAT_HELP, default=""),
        Option("since", "", STRING, "Show all events created since timestamp", default=""),
        Option("until", "", STRING, "Stream events until this timestamp", default=""),
    ),
    most=0,
    aliases=("system events",),
)
