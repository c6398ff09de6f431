"""``pyctr attach``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.shared import DETACH_KEYS
from pyctr.cli.values import BOOL
from pyctr.errors import Conflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context
    from pyctr.engine.types import State


def run(context: Context, parsed: Parsed) -> int:
    from pyctr.cli.attach import converse, existing

    name = parsed.arguments[0]
    container = context.engine.containers.inspect(name)
    _check_state(container["State"])
    config = container["Config"]
    stdin = config["OpenStdin"] and not parsed["no-stdin"]
    with existing(config, parsed, stdin=stdin) as streams:
        session = context.engine.containers.attach(container["Id"], stdin=stdin)
        if streams.resizes:
            from pyctr.cli.terminal import size

            rows, columns = size()
            session.resize(rows + 1, columns)  # a change of size makes programs draw their screen again
        return converse(context, streams, session)


def _check_state(state: State) -> None:
    if not state["Running"]:
        raise Conflict("cannot attach to a stopped container, start it first")
    if state["Paused"]:
        raise Conflict("cannot attach to a paused container, unpause it first")
    if state["Restarting"]:
        raise Conflict("cannot attach to a restarting container, wait until it is running")


COMMAND = Command(
    "attach",
    "[OPTIONS] CONTAINER",
    "Attach local standard input, output, and error streams to a running container",
    run=run,
    options=(
        DETACH_KEYS,
        Option("no-stdin", "", BOOL, "Do not attach STDIN"),
        Option("sig-proxy", "", BOOL, "Proxy all received signals to the process", default=True),
    ),
    least=1,
    most=1,
    aliases=("container attach",),
    complete="running",
)
