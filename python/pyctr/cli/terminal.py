"""The terminal we run on: its size, and raw mode, in which every key goes to the container."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DETACH_DEFAULT = "ctrl-p,ctrl-q"
_CONTROL_SIGNS = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}


def is_terminal(fd: int) -> bool:
    """Tell whether a descriptor is open on a terminal."""
    try:
        return os.isatty(fd)
    except OSError:
        return False


def size(fd: int = 1) -> tuple[int, int]:
    """Return (rows, columns), (0, 0) when the descriptor is no terminal."""
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        return 0, 0
    return rows, columns


class RawMode:
    """Raw mode of a terminal while the ``with`` lasts; does nothing for what is no terminal."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.saved: list[Any] | None = None

    def __enter__(self) -> RawMode:
        if not is_terminal(self.fd):
            return self
        import termios

        self.saved = termios.tcgetattr(self.fd)
        mode = termios.tcgetattr(self.fd)
        mode[0] &= ~(
            termios.IGNBRK
            | termios.BRKINT
            | termios.PARMRK
            | termios.ISTRIP
            | termios.INLCR
            | termios.IGNCR
            | termios.ICRNL
            | termios.IXON
        )
        mode[1] &= ~termios.OPOST
        mode[2] = mode[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
        mode[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.ISIG | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.fd, termios.TCSANOW, mode)
        return self

    def __exit__(self, *_: object) -> None:
        if self.saved is not None:
            import termios

            termios.tcsetattr(self.fd, termios.TCSADRAIN, self.saved)


def detach_sequence(text: str) -> bytes:
    """Read ``ctrl-p,ctrl-q`` or ``a,b``; raises ValueError, in docker's words."""
    keys = bytearray()
    for word in text.split(","):
        if len(word) == 1 and word.isascii():
            keys += word.encode()
        elif word.startswith("ctrl-") and len(word) == 6:
            keys.append(_control(word))
        else:
            raise ValueError(f"Unknown character: '{word}'")
    return bytes(keys)


def _control(word: str) -> int:
    key = word[-1]
    if "a" <= key <= "z":
        return ord(key) - ord("a") + 1
    if key not in _CONTROL_SIGNS:
        raise ValueError(f"Unknown character: '{word}'")
    return _CONTROL_SIGNS[key]


class DetachKeys:
    """Finds the detach sequence in what is typed; keys that only began it are passed on after all."""

    def __init__(self, sequence: bytes) -> None:
        self.sequence = sequence
        self.held = b""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Return what to pass on of ``data``, and whether the sequence was typed."""
        if not self.sequence:
            return data, False
        out = bytearray()
        for byte in data:
            key = bytes((byte,))
            if self.held and not self.sequence.startswith(self.held + key):
                out += self.held
                self.held = b""
            if self.sequence.startswith(self.held + key):
                self.held += key
                if self.held == self.sequence:
                    return bytes(out), True
            else:
                out += key
        return bytes(out), False
