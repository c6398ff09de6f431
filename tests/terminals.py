"""The other end of a terminal."""

from __future__ import annotations

import os
import select


def read_until(master: int, text: str) -> str:
    """What a terminal prints, up to a text."""
    found = ""
    while text not in found:
        assert select.select([master], [], [], 30)[0], f"no {text!r} in {found!r}"
        found += os.read(master, 4096).decode()
    return found
