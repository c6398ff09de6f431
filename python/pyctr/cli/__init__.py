"""The command line: docker's commands, options, outputs and exit codes.

What a command's options are is data (``commands/<verb>.py``), read by a small parser of our own on the way
to running it, and by typer for help and completion. So a container starts without typer's import (35 ms).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line of this process and end it."""
    import os
    import sys

    open_standard_streams()
    if "_PYCTR_COMPLETE" in os.environ:
        from pyctr.cli.completion import complete

        code = complete(os.environ)
    else:
        code = _run(sys.argv[1:], os.environ)
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - contextlib is not worth its import
            stream.flush()
        except (OSError, ValueError):  # the reader left, or the stream was never open
            pass
    # Tearing the interpreter down frees what the kernel frees anyway, and takes longer than many a command.
    os._exit(code)


def _run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command line; a second interrupt, while the first is dealt with, is as quiet as the first."""
    try:
        from pyctr.cli.main import run

        return run(argv, environ)
    except KeyboardInterrupt:
        return 130


def open_standard_streams() -> None:
    """Open on /dev/null what we were started without: else the first file we open would take its place."""
    import sys

    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open("/dev/null", "r" if number == 0 else "w"))  # noqa: SIM115 - for good
