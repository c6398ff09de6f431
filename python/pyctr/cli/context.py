"""What a command is given: the engine, where to print, and what the global options said."""

from __future__ import annotations

import sys

from pyctr.errors import InvalidParameter, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyctr.engine.interface import Backend

LEVELS = ("debug", "info", "warn", "error", "fatal")


class UnusableOptions(InvalidParameter):
    """Options that can be read but not used, or not together; docker ends with 125 for them."""


class Refused(InvalidParameter):
    """What the command line refuses without asking the engine; docker ends with 1 for it, ``run`` too."""


class Context:
    """One run of the command line. ``name`` is the command as it was typed: ``pyctr container ls``."""

    __slots__ = ("_engine", "environ", "level", "name", "root", "run_root", "storage_driver")

    def __init__(
        self,
        root: str | None,
        run_root: str | None,
        level: str,
        environ: Mapping[str, str],
        *,
        storage_driver: str = "",
    ) -> None:
        self.root = root
        self.run_root = run_root
        self.storage_driver = storage_driver
        self.level = LEVELS.index(level)
        self.environ = environ
        self.name = "pyctr"
        self._engine: Backend | None = None

    @property
    def engine(self) -> Backend:
        """The engine, connected to when first asked for.

        Nobody closes it: the last one to close a database has to write its log back and wait for the disk.
        """
        if self._engine is None:
            from pyctr.engine import connect

            self._engine = connect(self.root, self.run_root, self.warn, self.storage_driver)
        return self._engine

    def print(self, text: str) -> None:
        """Print a line; what no encoding holds is passed on byte for byte."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Print text as it is."""
        _guarded(_write, memoryview(text.encode("utf-8", "surrogateescape")))

    def flush(self) -> None:
        """Send what was printed on its way: to a person, or to find out that it cannot go."""
        _guarded(sys.stdout.flush)

    def note(self, text: str) -> None:
        """Print a line for the person at the terminal, not for the next program."""
        sys.stdout.flush()
        sys.stderr.write(f"{printable(text)}\n")

    def warn(self, text: str) -> None:
        """Print a warning, unless ``--log-level`` hides those."""
        if self.level <= LEVELS.index("warn"):
            self.note(f"WARNING: {text}")


def _write(data: memoryview) -> None:
    """Write everything; with ``python -u`` standard output may take less than it is given."""
    while data:
        data = data[sys.stdout.buffer.write(data) or 0 :]


def _guarded(action: Callable[..., object], *arguments: object) -> None:
    """Do something to standard output; a full disk is an error, a reader that left stays BrokenPipeError."""
    try:
        action(*arguments)
    except BrokenPipeError:
        raise
    except OSError as problem:
        reason = (problem.strerror or "failed").lower()
        raise SystemFailure(f"cannot write to standard output: {reason}", errno=problem.errno or 0) from None


def printable(text: str) -> str:
    """Return text that any encoding takes and that no terminal obeys, for messages."""
    text = text.encode("utf-8", "backslashreplace").decode()
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or not _is_control(character) else f"\\x{ord(character):02x}"
        for character in text
    )


def _is_control(character: str) -> bool:
    """Tell the C0 and C1 control characters, which may begin what a terminal obeys."""
    return character < " " or "\x7f" <= character <= "\x9f"
