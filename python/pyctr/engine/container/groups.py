"""``--group-add NAME``: names mean what the container's own /etc/group says."""

from __future__ import annotations

import os
import stat

from pyctr import _core
from pyctr.engine.container.rootfs import opened
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core

MAX_BYTES = 1 << 20
"""More than any honest group file; the rest is not looked at."""
HIGHEST_GID = (1 << 31) - 1


def resolve(core: Core, id: str, names: list[str]) -> list[int]:
    """The numbers of groups of a container that does not run yet. InvalidParameter for an unknown one."""
    found = parse(_group_file(core, id), set(names))
    for name in names:
        if name not in found:
            raise InvalidParameter(f"unable to find group {name}: no matching entries in group file")
    return [found[name] for name in names]


def parse(text: bytes, names: set[str]) -> dict[str, int]:
    """What a group file says of some names; the first line counts, and lines that make no sense do not."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.decode("utf-8", "replace").partition(":")
        gid = rest.split(":")[1:2]
        if name in names and name not in found and gid and gid[0].isascii() and gid[0].isdigit():
            number = int(gid[0][:11])
            if number <= HIGHEST_GID:
                found[name] = number
    return found


def _group_file(core: Core, id: str) -> bytes:
    with opened(core, id) as root:
        try:
            fd = _core.open_in_root(root, b"etc/group", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError:
            return b""
        try:
            return os.read(fd, MAX_BYTES) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
        finally:
            os.close(fd)
