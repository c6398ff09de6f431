"""What ``run``, ``start -a``, ``attach`` and ``exec`` do once they hold a session."""

from __future__ import annotations

from pyctr.errors import SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.command import Parsed
    from pyctr.cli.context import Context
    from pyctr.cli.streams import Streams
    from pyctr.engine.interface import Session
    from pyctr.engine.types import ContainerConfig


def existing(config: ContainerConfig, parsed: Parsed, *, stdin: bool) -> Streams:
    """Return our streams for a container that has been made, ready to be entered."""
    from pyctr.cli.streams import Streams, check_terminal

    tty = config["Tty"]
    check_terminal(stdin, tty)
    return Streams(
        tty=tty,
        stdin=stdin,
        detach_keys=parsed["detach-keys"],
        sig_proxy=parsed["sig-proxy"] and not tty,
    )


def converse(context: Context, streams: Streams, session: Session) -> int:
    """Copy until the end; the exit code, 0 when the user typed the detach keys."""
    for warning in session.warnings:
        context.warn(warning)
    try:
        code = streams.run(session)
    except (BrokenPipeError, SystemFailure):
        session.close()
        raise
    if code is None:
        context.note("read escape sequence")
        return 0
    return code
