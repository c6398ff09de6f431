"""``--ulimit name=soft[:hard]``."""

from __future__ import annotations

from pyctr.cli.golang import parse_int

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.types import Ulimit

_NAMES = (
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
)


def ulimit(text: str) -> Ulimit:
    """Read one limit; -1 is unlimited, and a missing hard limit is the soft one."""
    name, equals, limits = text.partition("=")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    if name not in _NAMES:
        raise ValueError(f"invalid ulimit type: {name}")
    parts = limits.split(":")
    if len(parts) > 2:
        raise ValueError(f"too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`")
    hard = parse_int(parts[-1], base=10)
    soft = parse_int(parts[0], base=10)
    if hard != -1:
        complaint = "ulimit soft limit must be less than or equal to hard limit"
        if soft == -1:
            raise ValueError(f"{complaint}: soft: -1 (unlimited), hard: {hard}")
        if soft > hard:
            raise ValueError(f"{complaint}: {soft} > {hard}")
    return {"Name": name, "Hard": hard, "Soft": soft}
