"""Aligns columns as Go's text/tabwriter does: a cell is what a tab ends, and the last of a line is none."""

from __future__ import annotations

from pyctr.cli.output.units import columns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PADDING = 3


def align(text: str, narrowest: int = 10) -> str:
    """Return lines of tab-separated cells with every column at least ``narrowest`` wide."""
    body, newline, last = text.rpartition("\n")
    lines = [line.split("\t") for line in body.split("\n")] if newline else []
    lines += [last.split("\t")] if last else []
    widths: list[list[int]] = [[] for _ in lines]
    _measure(lines, widths, 0, len(lines), 0, narrowest)
    aligned = (
        "".join(map(_padded, line[:-1], width)) + line[-1] for line, width in zip(lines, widths, strict=True)
    )
    return "\n".join(aligned) + (newline if not last else "")


def _padded(cell: str, width: int) -> str:
    return cell.ljust(width) if cell.isascii() else cell + " " * (width - columns(cell))


def _measure(  # noqa: PLR0917 - the block of the table it works on
    lines: Sequence[list[str]], widths: list[list[int]], start: int, end: int, column: int, narrowest: int
) -> None:
    """Fill in the width of ``column`` for every run of lines that have it, and of those after it."""
    first = start
    while first < end:
        if len(lines[first]) - 1 <= column:
            first += 1
            continue
        last = first
        while last < end and len(lines[last]) - 1 > column:
            last += 1
        block = range(first, last)
        cells = {lines[row][column] for row in block}  # of which many are the same
        width = max(narrowest, max(map(columns, cells)) + PADDING)
        for row in block:
            widths[row].append(width)
        _measure(lines, widths, first, last, column + 1, narrowest)
        first = last
