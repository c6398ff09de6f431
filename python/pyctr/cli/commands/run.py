"""``pyctr run``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.context import Refused
from pyctr.cli.creation import CidFile, prepare
from pyctr.cli.run_options import CREATE
from pyctr.cli.shared import DETACH_KEYS
from pyctr.cli.values import BOOL
from pyctr.errors import PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context
    from pyctr.engine.interface import Session
    from pyctr.engine.types import CreateBody


def run(context: Context, parsed: Parsed) -> int:
    body = prepare(context, parsed)
    attached = not parsed["detach"]
    if not attached:
        if parsed["attach"]:
            raise Refused("conflicting options: cannot specify both --attach and --detach")
        body["AttachStdin"] = body["AttachStdout"] = body["AttachStderr"] = body["StdinOnce"] = False
    attached = body["AttachStdin"] or body["AttachStdout"] or body["AttachStderr"]
    return _attached(context, parsed, body) if attached else _detached(context, parsed, body)


def _detached(context: Context, parsed: Parsed, body: CreateBody) -> int:
    with CidFile(parsed["cidfile"]) as cid_file:
        container = _start(context, parsed, body, cid_file, attach=False)[0]
    context.print(container)
    return 0


def _attached(context: Context, parsed: Parsed, body: CreateBody) -> int:
    from pyctr.cli.attach import converse
    from pyctr.cli.streams import Streams, check_terminal

    check_terminal(body["AttachStdin"], body["Tty"])
    streams = Streams(
        tty=body["Tty"],
        stdin=body["AttachStdin"],
        stdout=body["AttachStdout"],
        stderr=body["AttachStderr"],
        detach_keys=parsed["detach-keys"],
        sig_proxy=parsed["sig-proxy"],
    )
    with streams:
        with CidFile(parsed["cidfile"]) as cid_file:
            session = _start(context, parsed, body, cid_file, attach=True)[1]
        assert session is not None
        return converse(context, streams, session)


def _start(
    context: Context, parsed: Parsed, body: CreateBody, cid_file: CidFile, *, attach: bool
) -> tuple[str, Session | None]:
    """Create and start; a container that was created but not started has its id in the file all the same."""
    try:
        container, warnings, session = context.engine.containers.run(
            body, parsed["name"] or None, attach=attach
        )
    except PyctrError as problem:
        for warning in getattr(problem, "warnings", ()):
            context.warn(warning)
        container = getattr(problem, "container_id", "")
        if container and not parsed["rm"]:
            cid_file.write(container)
        raise
    cid_file.write(container)
    for warning in warnings:
        context.warn(warning)
    return container, session


COMMAND = Command(
    "run",
    "[OPTIONS] IMAGE [COMMAND] [ARG...]",
    "Create and run a new container from an image",
    run=run,
    options=(
        Option("detach", "d", BOOL, "Run container in background and print container ID"),
        DETACH_KEYS,
        Option("sig-proxy", "", BOOL, "Proxy received signals to the process", default=True),
        *CREATE,
    ),
    least=1,
    aliases=("container run",),
    interspersed=False,
    complete="image",
)
