"""``pyctr logs``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.values import BOOL, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context

_MOMENT = 'timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.streams import write_all

    lines = context.engine.containers.logs(
        parsed.arguments[0],
        follow=parsed["follow"],
        since=parsed["since"] or None,
        until=parsed["until"] or None,
        timestamps=parsed["timestamps"],
        tail=_tail(parsed["tail"]),
        details=parsed["details"],
    )
    for stream, line in lines:
        write_all(stream, line)


def _tail(text: str) -> int | None:
    """Return how many lines to show; what is no number, or a negative one, means all."""
    digits = text.removeprefix("+")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else None


COMMAND = Command(
    "logs",
    "[OPTIONS] CONTAINER",
    "Fetch the logs of a container",
    run=run,
    options=(
        Option("details", "", BOOL, "Show extra details provided to logs"),
        Option("follow", "f", BOOL, "Follow log output"),
        Option(
            "since",
            "",
            STRING,
            f"Show logs since {_MOMENT}",
            default="",
        ),
        Option("tail", "n", STRING, "Number of lines to show from the end of the logs", default="all"),
        Option("timestamps", "t", BOOL, "Show timestamps"),
        Option(
            "until",
            "",
            STRING,
            f"Show logs before a {_MOMENT}",
            default="",
        ),
    ),
    least=1,
    most=1,
    aliases=("container logs",),
    complete="containers",
)
