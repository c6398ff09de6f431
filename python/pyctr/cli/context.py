"""What a command is given: the engine, where to print, and what the global options said."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyctr.engine.interface import Backend

LEVELS = ("debug", "info", "warn", "error", "fatal")


class Context:
    """One run of the command line. ``name`` is the command as it was typed: ``pyctr container ls``."""

    __slots__ = ("_engine", "environ", "level", "name", "root", "run_root")

    def __init__(
        self, root: str | None, run_root: str | None, level: str, environ: Mapping[str, str]
    ) -> None:
        self.root = root
        self.run_root = run_root
        self.level = LEVELS.index(level)
        self.environ = environ
        self.name = "pyctr"
        self._engine: Backend | None = None

    @property
    def engine(self) -> Backend:
        """The engine, connected to when first asked for."""
        if self._engine is None:
            from pyctr.engine import connect

            self._engine = connect(self.root, self.run_root)
        return self._engine

    def close(self) -> None:
        """Let go of the engine, if it was needed."""
        if self._engine is not None:
            self._engine.close()

    def print(self, text: str) -> None:
        """Print a line; what no encoding holds is passed on byte for byte."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Print text as it is."""
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))

    def note(self, text: str) -> None:
        """Print a line for the person at the terminal, not for the next program."""
        sys.stdout.flush()
        sys.stderr.write(f"{printable(text)}\n")

    def warn(self, text: str) -> None:
        """Print a warning, unless ``--log-level`` hides those."""
        if self.level <= LEVELS.index("warn"):
            self.note(f"WARNING: {text}")


def printable(text: str) -> str:
    """Return text that any encoding takes, for messages."""
    return text.encode("utf-8", "backslashreplace").decode()
