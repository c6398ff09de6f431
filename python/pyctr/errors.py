"""The exceptions pyctr raises, a tree that follows the statuses of the Docker Engine API.

::

    PyctrError                        500   anything pyctr itself reports
    ├── InvalidParameter              400   a value that cannot be used: flag, name, reference, document
    │   └── InvalidImage              400   an image or archive that breaks its own format
    ├── Forbidden                     403   not allowed for this caller, or refused for safety
    ├── NotFound                      404   no such container, image, volume, path …
    │   ├── ImageNotFound             404
    │   └── ContainerNotFound         404
    ├── Conflict                      409   the object's state or name does not permit this
    ├── NotModified                   304   already so: starting what runs, stopping what does not
    ├── Unsupported                   501   known, valid, and outside what this version does
    ├── Unavailable                   503   busy, locked, out of a resource: the same call may work later
    ├── SystemFailure                 500   the kernel or the disk said no (``errno`` is set)
    │   └── DamagedStore              500   a file of the store cannot be read; the message names it
    └── StartFailure                  400   a process could not be started (``exit_code`` 125, 126 or 127)

A message is lowercase, has no full stop, names the thing and says what was being done to it.
The classes are also what ``pyctr._core`` raises.
"""

from __future__ import annotations

__all__ = [
    "Conflict",
    "ContainerNotFound",
    "DamagedStore",
    "Forbidden",
    "ImageNotFound",
    "InvalidImage",
    "InvalidParameter",
    "NotFound",
    "NotModified",
    "PyctrError",
    "StartFailure",
    "SystemFailure",
    "Unavailable",
    "Unsupported",
]


class PyctrError(Exception):
    """The root of the tree.

    ``status`` is the HTTP status of the Docker Engine API, ``exit_code`` what ``pyctr run`` ends with when
    the error stops it, ``hint`` an optional second line that tells the user what to do about it.
    ``container_id`` and ``warnings`` are set when ``run`` had made a container before it failed.
    """

    status = 500
    exit_code = 125

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.container_id = ""
        self.warnings: list[str] = []

    def __str__(self) -> str:
        return self.message


class InvalidParameter(PyctrError):
    status = 400


class InvalidImage(InvalidParameter):
    pass


class Forbidden(PyctrError):
    status = 403


class NotFound(PyctrError):
    status = 404


class ImageNotFound(NotFound):
    pass


class ContainerNotFound(NotFound):
    pass


class Conflict(PyctrError):
    status = 409


class NotModified(PyctrError):
    status = 304


class Unsupported(PyctrError):
    status = 501


class Unavailable(PyctrError):
    status = 503


class SystemFailure(PyctrError):
    """The kernel refused: ``errno`` is its number, or 0 when there is none."""

    def __init__(self, message: str, *, errno: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.errno = errno


class DamagedStore(SystemFailure):
    pass


class StartFailure(PyctrError):
    """A process did not start: 126 it cannot be executed, 127 it is not there, 125 everything before it."""

    def __init__(self, message: str, *, exit_code: int = 125, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code
        self.status = 500 if exit_code == 125 else 400
