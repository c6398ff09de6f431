"""Reads a command line by the rules of pflag, the Go library docker uses.

``-it`` clusters, ``-e=v``, ``-ev`` and ``-e v`` are the same, ``--flag=false`` switches off, ``--`` ends the
options.
"""

from __future__ import annotations

from pyctr.cli.command import Parsed
from pyctr.cli.values import FLAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyctr.cli.command import Command, Option


class UsageError(Exception):
    """A command line that cannot be understood; ``exit_code`` is docker's."""

    def __init__(self, message: str, exit_code: int = 125) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


class HelpRequested(Exception):
    """``--help`` was among the options."""


def parse(command: Command, argv: Sequence[str], environ: Mapping[str, str]) -> Parsed:
    """Read the words after the command's name.

    Raises UsageError for what cannot be read and HelpRequested at ``--help`` (or ``-h`` where that is free).
    The number of arguments is checked by :func:`check_arguments`, after it is known that nobody wants help.
    """
    parsed = Parsed(command.defaults(environ), set(), [])
    names, letters = _index(command)
    position = 0
    while position < len(argv):
        word = argv[position]
        position += 1
        if len(word) < 2 or word[0] != "-":
            parsed.arguments.append(word)
            if not command.interspersed:
                break
        elif word == "--":
            break
        elif word[1] == "-":
            position = _long(parsed, names, word, argv, position)
        else:
            position = _short(parsed, letters, word, argv, position)
    parsed.arguments.extend(argv[position:])
    return parsed


def _index(command: Command) -> tuple[dict[str, Option], dict[str, Option]]:
    names, letters = {}, {}
    for option in command.options:
        names[option.name] = option
        if option.also:
            names[option.also] = option
        if option.short:
            letters[option.short] = option
    return names, letters


def _long(parsed: Parsed, names: dict[str, Option], word: str, argv: Sequence[str], position: int) -> int:
    name, equals, text = word[2:].partition("=")
    if not name or name[0] == "-":
        raise UsageError(f"bad flag syntax: {word}")
    option = names.get(name)
    if option is None:
        raise UsageError(f"unknown flag: --{name}")
    if not equals:
        if option.kind.shape == FLAG:
            text = "true"
        elif position < len(argv):
            text = argv[position]
            position += 1
        else:
            raise UsageError(f"flag needs an argument: {word}")
    _set(parsed, option, text)
    return position


def _short(parsed: Parsed, letters: dict[str, Option], word: str, argv: Sequence[str], position: int) -> int:
    """Read one word of clustered letters; the first that takes a value takes the rest of the word."""
    cluster = word[1:]
    while cluster:
        letter, rest = cluster[0], cluster[1:]
        option = letters.get(letter)
        if option is None:
            if letter == "h":
                raise HelpRequested
            raise UsageError(f"unknown shorthand flag: {_go_rune(letter)} in -{cluster}")
        if len(rest) > 1 and rest[0] == "=":
            text, rest = rest[1:], ""
        elif option.kind.shape == FLAG:
            text = "true"
        elif rest:
            text, rest = rest, ""
        elif position < len(argv):
            text = argv[position]
            position += 1
        else:
            raise UsageError(f"flag needs an argument: {_go_rune(letter)} in -{cluster}")
        _set(parsed, option, text)
        cluster = rest
    return position


def _go_rune(letter: str) -> str:
    """Return a character as Go's %q shows it."""
    if letter == "'":
        return "'\\''"
    from pyctr.cli.golang import quote

    return "'" + (letter if letter == '"' else quote(letter)[1:-1]) + "'"


def _set(parsed: Parsed, option: Option, text: str) -> None:
    name = option.name
    if name == "help":
        raise HelpRequested
    collected = parsed.options[name] if name in parsed.given else option.kind.initial(None)
    try:
        parsed.options[name] = option.kind.add(collected, text)
    except ValueError as problem:
        from pyctr.cli.golang import quote

        raise UsageError(f'invalid argument {quote(text)} for "{option.label()}" flag: {problem}') from None
    parsed.given.add(name)


def check_arguments(command: Command, arguments: Sequence[str], name: str) -> None:
    """Refuse too few or too many arguments, in docker's words."""
    count, least, most = len(arguments), command.least, command.most
    if least <= count and (most is None or count <= most):
        return
    if most == 0:
        wanted = "accepts no arguments"
    elif least == most:
        wanted = f"requires {least} {_plural(least)}"
    elif count < least:
        wanted = f"requires at least {least} {_plural(least)}"
    else:
        wanted = f"requires at most {most} {_plural(most or 0)}"
    raise UsageError(f"pyctr: '{name}' {wanted}", exit_code=1)


def _plural(count: int) -> str:
    return "argument" if count == 1 else "arguments"
