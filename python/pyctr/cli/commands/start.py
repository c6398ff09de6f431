"""``pyctr start``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.shared import DETACH_KEYS
from pyctr.cli.values import BOOL
from pyctr.errors import InvalidParameter, NotModified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context
    from pyctr.engine.interface import Session


def run(context: Context, parsed: Parsed) -> int:
    if parsed["attach"] or parsed["interactive"]:
        if len(parsed.arguments) > 1:
            raise InvalidParameter("you cannot start and attach multiple containers at once")
        return _attached(context, parsed, parsed.arguments[0])

    def start(name: str) -> None:
        try:  # noqa: SIM105 - contextlib is not worth its import
            context.engine.containers.start(name)
        except NotModified:  # running already is as good
            pass

    return for_each(context, parsed.arguments, start)


def _attached(context: Context, parsed: Parsed, name: str) -> int:
    from pyctr.cli.attach import converse, existing

    config = context.engine.containers.inspect(name)["Config"]
    stdin = parsed["interactive"] and config["OpenStdin"]
    with existing(config, parsed, stdin=stdin) as streams:
        return converse(context, streams, _session(context, name, stdin=stdin))


def _session(context: Context, name: str, *, stdin: bool) -> Session:
    containers = context.engine.containers
    try:
        session = containers.start(name, attach=True)
    except NotModified:
        return containers.attach(name, stdin=stdin)
    assert session is not None
    return session


COMMAND = Command(
    "start",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Start one or more stopped containers",
    run=run,
    options=(
        Option("attach", "a", BOOL, "Attach STDOUT/STDERR and forward signals"),
        Option("interactive", "i", BOOL, "Attach container's STDIN"),
        DETACH_KEYS,
        Option("sig-proxy", "", BOOL, "Proxy received signals to the process", default=True, hidden=True),
    ),
    least=1,
    aliases=("container start",),
    complete="stopped",
)
