"""What ``run`` and ``create`` have in common."""

from __future__ import annotations

import os

from pyctr.cli.context import UnusableOptions
from pyctr.cli.run_body import create_body
from pyctr.errors import PyctrError, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.cli.command import Parsed
    from pyctr.cli.context import Context
    from pyctr.engine.types import CreateBody


def prepare(context: Context, parsed: Parsed) -> CreateBody:
    """Return the create body of a command line, with the size of our terminal."""
    try:
        body: CreateBody = as_unicode(create_body(parsed, context.environ))
    except ValueError as problem:
        raise UnusableOptions(str(problem)) from None
    if body["Tty"]:
        from pyctr.cli.terminal import size

        body["HostConfig"]["ConsoleSize"] = list(size())
    return body


def as_unicode(value: Any) -> Any:
    """Return a document with U+FFFD for what is no UTF-8, as docker sends it: JSON can say nothing else."""
    if isinstance(value, str):
        return (
            value if value.isascii() else value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        )
    if isinstance(value, dict):
        return {as_unicode(key): as_unicode(item) for key, item in value.items()}
    return [as_unicode(item) for item in value] if isinstance(value, list) else value


class CidFile:
    """``--cidfile``: made before the container, which is not made if it cannot be; gone if there is none."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1
        self._written = False

    def __enter__(self) -> CidFile:
        if self.path:
            try:
                self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            except FileExistsError:
                raise PyctrError(
                    "container ID file found, make sure the other container isn't running "
                    f"or delete {self.path}"
                ) from None
            except OSError as problem:
                raise _failure("failed to create the container ID file: open", self.path, problem) from None
        return self

    def write(self, container: str) -> None:
        """Put the id in, without a line's end."""
        if self._fd < 0:
            return
        try:
            os.write(self._fd, container.encode())
        except OSError as problem:
            raise _failure("failed to write the container ID: write", self.path, problem) from None
        self._written = True

    def __exit__(self, *_: object) -> None:
        if self._fd < 0:
            return
        os.close(self._fd)
        if not self._written:
            os.unlink(self.path)


def _failure(what: str, path: str, problem: OSError) -> SystemFailure:
    reason = (problem.strerror or "failed").lower()
    return SystemFailure(f"{what} {path}: {reason}", errno=problem.errno or 0)
