"""Signals by the names and numbers people write."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal imports enum: 2 ms

from pyctr.errors import InvalidParameter

NUMBERS = {name[3:]: int(value) for name, value in vars(_signal).items()
           if name.startswith("SIG") and not name.startswith("SIG_") and isinstance(value, int)}  # fmt: skip
HIGHEST = 64


def parse(text: str) -> int:
    """``KILL``, ``SIGKILL``, ``9``, ``SIGRTMIN+3``; InvalidParameter for anything else."""
    if _is_number(text) and 1 <= int(text) <= HIGHEST:
        return int(text)
    name = text.upper().removeprefix("SIG")
    if name in NUMBERS:
        return NUMBERS[name]
    for base, sign in (("RTMIN", "+"), ("RTMAX", "-")):
        offset = name.removeprefix(base + sign)
        if offset == name or not _is_number(offset):
            continue
        if int(offset) <= NUMBERS["RTMAX"] - NUMBERS["RTMIN"]:
            return NUMBERS[base] + int(sign + offset)
    raise InvalidParameter(f"invalid signal: {text}")


def _is_number(text: str) -> bool:
    """Whether it is a number that a signal could have."""
    return text.isdecimal() and text.isascii() and len(text) < 4
