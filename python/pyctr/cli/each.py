"""Verbs that take several objects: each is tried, each failure is one line, and any failure ends in 1."""

from __future__ import annotations

from pyctr.cli.context import printable
from pyctr.errors import NotFound, PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyctr.cli.context import Context


def for_each(context: Context, names: Iterable[str], act: Callable[[str], object]) -> int:
    """Call ``act`` for each name and print what it gives (a line, or several), the name itself if None."""
    code = 0
    for name in names:
        try:
            result = act(name)
        except PyctrError as problem:
            report(context, problem)
            code = 1
        else:
            for line in _lines(name, result):
                context.print(line)
    return code


def remove_each(
    context: Context, names: Iterable[str], remove: Callable[[str], object], *, force: bool
) -> int:
    """As :func:`for_each`; to ``force`` the removal of what is not there is no failure, but is told."""

    def forgiving(name: str) -> object:
        try:
            return remove(name)
        except NotFound as problem:
            if not force:
                raise
            report(context, problem)
            return []

    return for_each(context, names, forgiving)


def _lines(name: str, result: object) -> Iterable[str]:
    if result is None:
        return (name,)
    return result if isinstance(result, list) else (str(result),)


def report(context: Context, problem: PyctrError) -> None:
    """Print one error, and its hint, without ending the command."""
    context.note(f"pyctr: {printable(problem.message)}")
    if problem.hint:
        context.note(problem.hint)
