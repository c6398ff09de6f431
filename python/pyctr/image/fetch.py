"""Archives from elsewhere: a file, standard input, or an http(s) address, whose modules load only then."""

from __future__ import annotations

import os

from pyctr.errors import InvalidParameter, NotFound, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

TIMEOUT = 60
"""Seconds without a byte after which a server is given up."""


def open_source(source: str) -> int:
    """A descriptor to read the archive from: ``-`` is standard input. The caller closes it.

    NotFound, SystemFailure, InvalidParameter: one line that names the source.
    """
    if source == "-":
        return os.dup(0)
    if source.startswith(("http://", "https://")):
        return _through_pipe(open_url(source))
    try:
        fd = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(f"cannot open {source}: no such file or directory") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SystemFailure(f"cannot open {source}: {reason}", errno=error.errno or 0) from None
    if os.path.isdir(f"/proc/self/fd/{fd}"):
        os.close(fd)
        raise InvalidParameter(f"cannot import {source}: it is a directory, not an archive")
    return fd


def open_url(url: str) -> BinaryIO:
    """Start to download; read the answer like a file."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    if not url.startswith(("http://", "https://")):
        raise InvalidParameter(f"cannot download {url}: only http and https addresses can be imported")
    try:
        request = Request(url, headers={"User-Agent": "pyctr", "Accept-Encoding": "identity"})
        answer: BinaryIO = urlopen(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise NotFound(f"cannot download {url}: the server says {error.code} {error.reason}") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise SystemFailure(f"cannot download {url}: {str(reason).lower()}") from None
    return answer


def _through_pipe(answer: BinaryIO) -> int:
    """A descriptor that gives what a download gives: one that breaks off ends it too early, which shows."""
    import threading

    reader, writer = os.pipe2(os.O_CLOEXEC)

    def pump() -> None:
        try:
            with answer, os.fdopen(writer, "wb", buffering=0) as pipe:
                while data := answer.read(1 << 18):
                    pipe.write(data)
        except (OSError, ValueError):
            return

    threading.Thread(target=pump, name="download", daemon=True).start()
    return reader
