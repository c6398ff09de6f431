"""``pyctr exec``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.creation import as_unicode
from pyctr.cli.shared import DETACH_KEYS
from pyctr.cli.values import BOOL, STRING, STRINGS, checked_list
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context
    from pyctr.engine.types import ExecBody


def run(context: Context, parsed: Parsed) -> int:
    body: ExecBody = as_unicode(exec_body(context, parsed))
    execs, name = context.engine.execs, parsed.arguments[0]
    if parsed["detach"]:
        execs.run(name, body, detach=True)
        return 0
    from pyctr.cli.attach import converse
    from pyctr.cli.streams import Streams, check_terminal

    check_terminal(body["AttachStdin"], body["Tty"])
    streams = Streams(
        tty=body["Tty"],
        stdin=body["AttachStdin"],
        detach_keys=parsed["detach-keys"],
        sig_proxy=False,
    )
    with streams:
        session = execs.run(name, body)
        assert session is not None
        return converse(context, streams, session)


def exec_body(context: Context, parsed: Parsed) -> ExecBody:
    """Return the body of ``POST /containers/{id}/exec`` for a command line."""
    attached = not parsed["detach"]
    body: ExecBody = {
        "AttachStdin": attached and parsed["interactive"],
        "AttachStdout": attached,
        "AttachStderr": attached,
        "DetachKeys": parsed["detach-keys"],
        "Tty": parsed["tty"],
        "Env": _environment(context, parsed),
        "Cmd": parsed.arguments[1:],
        "Privileged": parsed["privileged"],
        "User": parsed["user"],
        "WorkingDir": parsed["workdir"],
    }
    if parsed["tty"] and attached:
        from pyctr.cli.terminal import size

        body["ConsoleSize"] = list(size())
    return body


def _environment(context: Context, parsed: Parsed) -> list[str]:
    pairs: list[str] = []
    if parsed["env-file"]:
        from pyctr.cli.opts.kvfile import read_pairs

        for path in parsed["env-file"]:
            try:
                pairs += read_pairs(path, context.environ)
            except ValueError as problem:
                raise InvalidParameter(str(problem)) from None
    return [*pairs, *parsed["env"]]


COMMAND = Command(
    "exec",
    "[OPTIONS] CONTAINER COMMAND [ARG...]",
    "Execute a command in a running container",
    run=run,
    options=(
        Option("detach", "d", BOOL, "Detached mode: run command in the background"),
        DETACH_KEYS,
        Option("env", "e", checked_list("pairs", "env"), "Set environment variables", complete="environment"),
        Option("env-file", "", STRINGS, "Read in a file of environment variables", complete="files"),
        Option("interactive", "i", BOOL, "Keep STDIN open even if not attached"),
        Option("privileged", "", BOOL, "Give extended privileges to the command"),
        Option("tty", "t", BOOL, "Allocate a pseudo-TTY"),
        Option("user", "u", STRING, 'Username or UID (format: "<name|uid>[:<group|gid>]")', default=""),
        Option("workdir", "w", STRING, "Working directory inside the container", default=""),
    ),
    least=2,
    aliases=("container exec",),
    interspersed=False,
    complete="running",
)
