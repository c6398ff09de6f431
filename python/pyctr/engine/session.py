"""A conversation with a supervisor over its socket: what ``run``, ``attach`` and ``exec`` hold.

``_socket`` and ``select`` are used as they are: the ``socket`` module costs 3 ms to import.
"""

from __future__ import annotations

import _socket
import os
from select import POLLIN, POLLOUT, poll

from pyctr.engine import frames
from pyctr.errors import Conflict, InvalidParameter, NotFound, PyctrError, StartFailure, SystemFailure
from pyctr.store.json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

READ_BYTES = 256 << 10
WRITE_BYTES = 64 << 10
ANSWER_SECONDS = 5.0
"""How long a supervisor that is not busy starting may take to answer a question."""


class SupervisorGone(SystemFailure):
    """The other end broke off in the middle of the conversation, or was not there at all."""


class ShimSession:
    """One attached client. Implements ``interface.Session``."""

    def __init__(self, fd: int, *, on_end: Callable[[dict[str, Any] | None], int] | None = None) -> None:
        """Take over the connected socket ``fd``.

        ``on_end`` is called once by ``wait`` with the exit record, or None if there was none, and gives the
        exit code: the engine writes down what happened.
        """
        self.warnings: list[str] = []
        self.pid = 0
        self.started_at = ""
        self.exit_code: int | None = None
        self._fd = fd
        self._frames = frames.Unpacker()
        self._early: list[tuple[int, bytes]] = []
        self._outgoing = bytearray()
        self._record: dict[str, Any] | None = None
        self._over = False
        self._on_end = on_end
        self._patience: float | None = None
        self._poll = poll()
        self._poll.register(fd, POLLIN)
        os.set_blocking(fd, False)

    def fileno(self) -> int:
        return self._fd

    @property
    def ended(self) -> bool:
        """See ``interface.Session``. Not before all output is handed out."""
        return self._over and not self._early

    @property
    def pending(self) -> bool:
        """There is something left to send: poll for writability too, and call ``receive``."""
        return bool(self._outgoing)

    def limit(self, seconds: float) -> None:
        """Give up, with SupervisorGone, when nothing arrives for so long."""
        self._patience = seconds * 1000

    def request(self, document: dict[str, Any]) -> dict[str, Any]:
        """Send the first frame and wait for the answer."""
        self._send(frames.REQUEST, dumps(document).encode())
        return self.handshake()

    def prepend(self, pieces: Iterable[tuple[int, bytes]]) -> None:
        """Output to hand out before any that arrives."""
        self._early.extend(pieces)

    def await_record(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """Ask to be told when the container ends, and wait; None if the supervisor goes without a word."""
        self._send(frames.REQUEST, dumps(document).encode())
        while not self.ended:
            self.read()
        self.close()
        return self._record

    def handshake(self) -> dict[str, Any]:
        """Wait for OK or ERROR; gives OK's document, or raises what ERROR says."""
        answer: dict[str, Any] | None = None
        while answer is None:
            for kind, payload in self._arrived(wait=True):
                if kind == frames.OK:
                    answer = loads(payload) if payload else {}
                elif kind == frames.ERROR:
                    self.close()
                    raise _refusal(loads(payload))
                else:
                    self._take(kind, payload, self._early)
            if self._over and answer is None:
                self.close()
                raise SupervisorGone("the supervisor broke off before it answered")
        return self._accept(answer)

    def receive(self) -> list[tuple[int, bytes]]:
        """See ``interface.Session``."""
        pieces, self._early = self._early, []
        if self._outgoing:
            self._flush()
        for kind, payload in self._arrived(wait=False):
            self._take(kind, payload, pieces)
        return pieces

    def read(self) -> list[tuple[int, bytes]]:
        """Like ``receive``, but waits until there is something, or the end."""
        while not self.ended:
            pieces = self.receive()
            if pieces or self.ended:
                return pieces
            self._wait()
        return self.receive()

    def write(self, data: bytes) -> int:
        """See ``interface.Session``."""
        if self._outgoing:
            self._flush()
        if self._outgoing or self._over or not data:
            return 0
        part = data[:WRITE_BYTES]
        self._send(frames.STDIN, part)
        return len(part)

    def close_stdin(self) -> None:
        self._send(frames.STDIN)

    def resize(self, rows: int, cols: int) -> None:
        self._send(frames.RESIZE, b'{"rows":%d,"cols":%d}' % (rows, cols))

    def signal(self, number: int) -> None:
        self._send(frames.SIGNAL, b'{"signal":%d}' % number)

    def wait(self) -> int:
        """See ``interface.Session``."""
        while not self.ended:
            self.read()
        self.close()
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            self.exit_code = on_end(self._record)
        if self.exit_code is None:
            raise SupervisorGone("the supervisor died")
        return self.exit_code

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._over = True
            os.close(fd)

    def __del__(self) -> None:
        self.close()

    def _accept(self, document: dict[str, Any]) -> dict[str, Any]:
        self.pid = document.get("pid", 0)
        self.started_at = document.get("started_at", "")
        self.warnings = document.get("warnings") or []
        return document

    def _take(self, kind: int, payload: bytes, pieces: list[tuple[int, bytes]]) -> None:
        """Sort a frame: output to ``pieces``, the exit record to where ``wait`` finds it."""
        if kind in (frames.STDOUT, frames.STDERR):
            pieces.append((kind, payload))
        elif kind == frames.EXIT:
            self._over = True
            self._record = _outcome(payload)
            self.exit_code = self._record["exit_code"]
        elif kind == frames.ERROR:
            raise _refusal(loads(payload))

    def _arrived(self, *, wait: bool) -> list[tuple[int, bytes]]:
        """The frames that one read gives."""
        if self._fd < 0:
            return []
        while True:
            try:
                data = os.read(self._fd, READ_BYTES)
                break
            except BlockingIOError:
                if not wait:
                    return []
                self._wait()
            except OSError:  # reset: the supervisor is gone
                data = b""
                break
        if not data:
            self._over = True
            return []
        try:
            return self._frames.feed(data)
        except ValueError as error:
            self._over = True
            raise SystemFailure(f"the supervisor does not speak our language: {error}") from error

    def _wait(self) -> None:
        self._poll.modify(self._fd, POLLIN | POLLOUT if self._outgoing else POLLIN)
        if not self._poll.poll(self._patience):
            raise SupervisorGone("the container's supervisor does not answer")
        if self._outgoing:
            self._flush()

    def _send(self, kind: int, payload: bytes = b"") -> None:
        if self._fd < 0 or self._over:
            return
        self._outgoing += frames.pack(kind, payload)
        self._flush()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                sent = os.write(self._fd, self._outgoing[: WRITE_BYTES + frames.HEADER_BYTES])
                del self._outgoing[:sent]
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):  # reading says so in its turn
            self._outgoing.clear()
        except OSError as error:
            self._over = True
            reason = (error.strerror or str(error)).lower()
            raise SystemFailure(f"cannot talk to the supervisor: {reason}", errno=error.errno or 0) from error


def connect(bundle: str, **options: Any) -> ShimSession:
    """Connect to the supervisor of the container with that bundle. SupervisorGone when there is none."""
    peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        # Through a descriptor: a socket's path has room for 107 bytes, and a root may be longer.
        directory = os.open(bundle, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            peer.connect(f"/proc/self/fd/{directory}/shim.sock")
        finally:
            os.close(directory)
    except OSError as error:
        peer.close()
        raise SupervisorGone("the container's supervisor does not answer", errno=error.errno or 0) from error
    return ShimSession(peer.detach(), **options)


def ask(bundle: str, document: dict[str, Any]) -> dict[str, Any]:
    """One question, one answer. SupervisorGone where none comes: one stuck container keeps nobody waiting."""
    session = connect(bundle)
    session.limit(ANSWER_SECONDS)
    try:
        return session.request(document)
    finally:
        session.close()


def _outcome(payload: bytes) -> dict[str, Any]:
    """The document of an EXIT frame, which has an exit code at least."""
    try:
        record: dict[str, Any] = loads(payload)
        record["exit_code"] = int(record["exit_code"])
    except (ValueError, KeyError, TypeError) as error:
        raise SystemFailure(f"the supervisor does not speak our language: {error}") from error
    return record


def _refusal(document: dict[str, Any]) -> PyctrError:
    """The exception for an ERROR frame."""
    message, code = document.get("message") or "the supervisor refused", document.get("code", 125)
    if code in (125, 126, 127):
        return StartFailure(message, exit_code=code)
    kinds: dict[int, type[PyctrError]] = {400: InvalidParameter, 404: NotFound, 409: Conflict}
    return kinds.get(code, PyctrError)(message)
