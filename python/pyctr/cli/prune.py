"""The ``prune`` commands: ask, remove, tell."""

from __future__ import annotations

import sys

from pyctr.cli.output.units import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyctr.cli.context import Context


def agreed(context: Context, warning: str) -> bool:
    """Ask before something is removed; no answer is no."""
    context.write(f"WARNING! {warning}\nAre you sure you want to continue? [y/N] ")
    context.flush()
    return sys.stdin is not None and sys.stdin.readline().strip().lower() == "y"


def tell(context: Context, title: str, names: Iterable[str], reclaimed: int) -> None:
    """Print what was removed and how much room that made."""
    names = list(names)
    if names:
        context.print(f"{title}:")
        context.write("".join(f"{name}\n" for name in names) + "\n")
    context.print(f"Total reclaimed space: {human_size(reclaimed)}")
