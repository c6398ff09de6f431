"""What a command is: a table of options, read by the parser, by help and by completion alike."""

from __future__ import annotations

from pyctr.cli.values import BOOL, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pyctr.cli.context import Context


class Option:
    """One option of a command.

    ``name`` is the long name without dashes, ``short`` one letter or empty. ``complete`` names the source of
    completions: a function of :mod:`pyctr.cli.completion`. A hidden option works but is not listed.
    """

    __slots__ = ("also", "complete", "default", "env", "help", "hidden", "kind", "name", "short")

    def __init__(
        self,
        name: str,
        short: str,
        kind: Kind,
        help: str,
        *,
        default: Any = None,
        also: str = "",
        hidden: bool = False,
        complete: str = "",
        env: str = "",
    ) -> None:
        self.name = name
        self.short = short
        self.kind = kind
        self.help = help
        self.default = default
        self.also = also
        """A second long name that is not listed, as ``net`` for ``network``."""
        self.hidden = hidden
        self.complete = complete
        self.env = env
        """The environment variable that stands in for the option when it is not given."""

    def label(self) -> str:
        """Return the option as docker's error texts show it: ``-m, --memory``."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


HELP = Option("help", "", BOOL, "Print usage")


class Parsed:
    """A command line that was understood: the value of every option, and the arguments."""

    __slots__ = ("arguments", "given", "options")

    def __init__(self, options: dict[str, Any], given: set[str], arguments: list[str]) -> None:
        self.options = options
        self.given = given
        self.arguments = arguments

    def __getitem__(self, name: str) -> Any:
        return self.options[name]


class Command:
    """One verb: its place on the command line, its options and what it does.

    ``words`` is the full name (``container ls``); ``aliases`` are other full names. ``usage`` is what follows
    the name in help; ``least`` and ``most`` bound the number of arguments. ``interspersed`` false ends the
    options at the first argument, so that those of the container's own command are left alone.
    """

    __slots__ = (
        "aliases",
        "complete",
        "epilog",
        "help",
        "interspersed",
        "least",
        "most",
        "options",
        "run",
        "usage",
        "words",
    )

    def __init__(
        self,
        words: str,
        usage: str,
        help: str,
        *,
        run: Callable[[Context, Parsed], int | None],
        options: tuple[Option, ...] = (),
        least: int = 0,
        most: int | None = None,
        aliases: tuple[str, ...] = (),
        interspersed: bool = True,
        complete: str = "",
        epilog: str = "",
    ) -> None:
        self.words = words
        self.usage = usage
        self.help = help
        self.run = run
        self.options = (*options, HELP)
        self.least = least
        self.most = most
        self.aliases = aliases
        self.interspersed = interspersed
        self.complete = complete
        self.epilog = epilog

    def defaults(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """Return the value of every option when none is given."""
        values = {}
        for option in self.options:
            text = environ.get(option.env, "") if option.env else ""
            values[option.name] = text or option.kind.initial(option.default)
        return values
