"""Signals on their way to a container: caught here, sent there.

``_signal`` is what the ``signal`` module wraps in enumerations, which cost a millisecond to import.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed leaves it out
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SIGINT = _signal.SIGINT
SIGWINCH = _signal.SIGWINCH
PROXIED = (
    _signal.SIGHUP,
    _signal.SIGINT,
    _signal.SIGQUIT,
    _signal.SIGUSR1,
    _signal.SIGUSR2,
    _signal.SIGALRM,
    _signal.SIGTERM,
    _signal.SIGCONT,
    _signal.SIGTSTP,
)
"""Those a person or a service manager sends; not those that tell of our own children, pipes and terminal."""


class SignalQueue:
    """Catches signals while the ``with`` lasts; ``fileno()`` is readable when some are waiting.

    Until somebody takes them, the second of a kind that ends programs is taken to mean us.
    """

    def __init__(self, numbers: tuple[int, ...]) -> None:
        self.numbers = numbers
        self.waiting: list[int] = []
        self.direct: Callable[[int], None] | None = None
        """Takes signals at once, for times when nobody polls."""
        self.taken = False
        self._saved: dict[int, Any] = {}
        self._reader = self._writer = -1
        self._wakeup = -1

    def __enter__(self) -> SignalQueue:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._wakeup = _signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self.numbers:
            self._saved[number] = _signal.signal(number, self._caught)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._saved.items():
            _signal.signal(number, _signal.SIG_DFL if handler is None else handler)
        _signal.set_wakeup_fd(self._wakeup)
        os.close(self._reader)
        os.close(self._writer)

    def _caught(self, number: int, _frame: object) -> None:
        if self.direct is not None:
            self.direct(number)
            return
        if not self.taken and number in self.waiting and number != SIGWINCH:
            raise KeyboardInterrupt
        self.waiting.append(number)

    def fileno(self) -> int:
        """Return the descriptor to poll."""
        return self._reader

    def take(self) -> list[int]:
        """Return the signals that came since the last time."""
        self.taken = True
        try:  # noqa: SIM105 - contextlib is not worth its import
            os.read(self._reader, 512)
        except BlockingIOError:
            pass
        waiting, self.waiting = self.waiting, []
        return waiting
