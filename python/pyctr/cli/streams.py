"""Connects our standard streams with a process in a container."""

from __future__ import annotations

import os
import sys
from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, poll

from pyctr.cli.context import Refused
from pyctr.cli.signals import PROXIED, SIGWINCH, SignalQueue
from pyctr.cli.terminal import DETACH_DEFAULT, DetachKeys, RawMode, detach_sequence, is_terminal, size
from pyctr.errors import SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.interface import Session

READ_BYTES = 64 << 10
_READABLE = POLLIN | POLLHUP | POLLERR | POLLNVAL


def check_terminal(stdin: bool, tty: bool) -> None:
    """Refuse a terminal in the container when our own input is none."""
    if stdin and tty and not is_terminal(0):
        raise Refused("the input device is not a TTY")


def parse_detach_keys(text: str) -> bytes:
    """Read ``--detach-keys``; empty is the default sequence."""
    try:
        return detach_sequence(text or DETACH_DEFAULT)
    except ValueError as problem:
        raise Refused(f"invalid detach keys ({text}) provided: {problem}") from None


class Streams:
    """How one process is connected, and the loop that copies until it ends or the user detaches.

    Enter it before the process is started: the signals that come meanwhile are kept for it.
    """

    def __init__(
        self,
        *,
        tty: bool,
        stdin: bool,
        stdout: bool = True,
        stderr: bool = True,
        detach_keys: str = "",
        sig_proxy: bool = True,
    ) -> None:
        self.tty = tty
        self.stdin = stdin
        self.outputs = {1: 1 if stdout else -1, 2: 2 if stderr else -1}
        keys = parse_detach_keys(detach_keys)
        self.keys = DetachKeys(keys if tty else b"")
        self.resizes = tty and is_terminal(1)
        watched = (*(PROXIED if sig_proxy else ()), *((SIGWINCH,) if self.resizes else ()))
        self.signals = SignalQueue(watched)
        self.raw = RawMode(0 if tty and stdin else -1)
        self.detached = False
        self._typed = b""
        self._input_ended = False

    def __enter__(self) -> Streams:
        sys.stdout.flush()
        self.signals.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.signals.__exit__()

    def run(self, session: Session) -> int | None:
        """Copy until the process ends; its exit code, or None when the user detached.

        Raises BrokenPipeError when nobody reads our output any more.
        """
        with self.raw:
            if self.resizes:
                session.resize(*size())
            self._copy(session)
        if self.detached:
            session.close()
            return None
        return session.wait()

    def _copy(self, session: Session) -> None:
        while not self.detached:
            for stream, data in session.receive():
                self._show(session, stream, data)
            if session.ended:
                return
            ready = self._wait(session)
            if self.signals.fileno() in ready:
                self._forward_signals(session)
            if 0 in ready:
                self._read_input(session)
            if self._typed:
                self._typed = self._typed[session.write(self._typed) :]
            if self._input_ended and not self._typed and self.stdin:
                self.stdin = False
                session.close_stdin()

    def _show(self, session: Session, stream: int, data: bytes) -> None:
        """Write output; who reads it may be slow, and signals must not wait for that."""
        self.signals.direct = lambda number: self._forward(session, number)
        try:
            write_all(self.outputs[stream], data)
        except BrokenPipeError:
            raise
        except OSError as problem:
            reason = (problem.strerror or "failed").lower()
            raise SystemFailure(f"cannot write the output: {reason}", errno=problem.errno or 0) from None
        finally:
            self.signals.direct = None

    def _wait(self, session: Session) -> set[int]:
        """Wait for output, a signal, or keys if there is room for them; the descriptors that are ready."""
        waiter = poll()
        sending = bool(self._typed) or session.pending
        waiter.register(session.fileno(), POLLIN | POLLOUT if sending else POLLIN)
        waiter.register(self.signals.fileno(), POLLIN)
        if self.stdin and not self._typed and not self._input_ended:
            waiter.register(0, POLLIN)
        return {fd for fd, events in waiter.poll() if events & (_READABLE | POLLOUT)}

    def _forward_signals(self, session: Session) -> None:
        for number in self.signals.take():
            self._forward(session, number)

    @staticmethod
    def _forward(session: Session, number: int) -> None:
        if number == SIGWINCH:
            session.resize(*size())
        else:
            session.signal(number)

    def _read_input(self, session: Session) -> None:
        try:
            data = os.read(0, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:  # closed, or a terminal that hung up: there is no more input
            data = b""
        self._input_ended = not data
        self._typed, self.detached = self.keys.feed(data)
        if self.detached and self._typed:
            session.write(self._typed)


def write_all(fd: int, data: bytes) -> None:
    """Write everything, waiting where somebody else made the descriptor non-blocking; -1 drops it."""
    view = memoryview(data)
    while view and fd >= 0:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            waiter = poll()
            waiter.register(fd, POLLOUT)
            waiter.poll()
