"""What several commands have in common: options, and verbs that take names of containers and nothing else."""

from __future__ import annotations

from pyctr.cli.command import Command, Option
from pyctr.cli.each import for_each
from pyctr.cli.values import BOOL, FILTER, INT, STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.cli.command import Parsed
    from pyctr.cli.context import Context

DETACH_KEYS = Option(
    "detach-keys", "", STRING, "Override the key sequence for detaching a container", default=""
)
SIGNAL = Option("signal", "s", STRING, "Signal to send to the container", default="", complete="signals")
TIMEOUT = Option("timeout", "t", INT, "Seconds to wait before killing the container", default=0, also="time")
PRUNE_FORCE = Option("force", "f", BOOL, "Do not prompt for confirmation")


def filter_option(example: str) -> Option:
    """``--filter`` of a command that removes what matches."""
    return Option("filter", "", FILTER, f'Provide filter values (e.g. "{example}")')


def ending(parsed: Parsed) -> dict[str, Any]:
    """How ``stop`` and ``restart`` end a container, as the engine takes it."""
    timeout = parsed["timeout"] if "timeout" in parsed.given else None
    return {"timeout": timeout, "signal": parsed["signal"] or None}


def plain_verb(name: str, help: str, *, complete: str) -> Command:
    """Return a command without options that does to each container what its name says."""

    def run(context: Context, parsed: Parsed) -> int:
        return for_each(context, parsed.arguments, getattr(context.engine.containers, name))

    return Command(
        name,
        "CONTAINER [CONTAINER...]",
        help,
        run=run,
        least=1,
        aliases=(f"container {name}",),
        complete=complete,
    )
