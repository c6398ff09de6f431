"""Files the user named for output: written under another name first, so that they are whole or not there."""

from __future__ import annotations

import os

from pyctr.errors import SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class replacing:  # noqa: N801 - used like a function
    """Give a descriptor to write a file with; it takes the file's place when the ``with`` ends well."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = -1
        self.temporary = ""

    def __enter__(self) -> int:
        special = os.path.exists(self.path) and not os.path.isfile(self.path)
        self.temporary = "" if special else f"{self.path}.pyctr-{os.getpid()}"
        flags = os.O_WRONLY | os.O_CLOEXEC | (0 if special else os.O_CREAT | os.O_EXCL)
        try:
            self.fd = os.open(self.temporary or self.path, flags, 0o666)
        except OSError as problem:
            raise self._failure(problem) from None
        return self.fd

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        os.close(self.fd)
        if not self.temporary:
            return
        try:
            if kind is None:
                os.replace(self.temporary, self.path)
            else:
                os.unlink(self.temporary)
        except OSError as problem:
            raise self._failure(problem) from None

    def _failure(self, problem: OSError) -> SystemFailure:
        reason = (problem.strerror or "failed").lower()
        return SystemFailure(f"cannot write {self.path}: {reason}", errno=problem.errno or 0)
