"""The kinds of values an option can have: how text becomes a value, and how repeating the option adds up.

Parsers of the rarer kinds live in :mod:`pyctr.cli.opts` and are imported when such an option is used.
A parser raises ``ValueError`` with docker's reason; the command line parser adds which option it was.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ONE = "one"
"""The last one given counts."""
FLAG = "flag"
"""May stand alone, meaning true."""
LIST = "list"
"""Every one counts, in order."""
MAP = "map"
"""``key=value``; the last of each key counts."""
FILTERS = "filters"
"""``name=value``; the values of a name collect."""


class Kind:
    """A kind of value: the word help shows for it, how it is read and how it repeats."""

    __slots__ = ("metavar", "read", "shape")

    def __init__(self, metavar: str, shape: str, read: Callable[[str], Any]) -> None:
        self.metavar = metavar
        self.shape = shape
        self.read = read

    def initial(self, default: Any) -> Any:
        """Give the value of an option that was not given."""
        if default is not None:
            return default
        if self.shape == LIST:
            return []
        return {} if self.shape in (MAP, FILTERS) else False if self.shape == FLAG else None

    def add(self, collected: Any, text: str) -> Any:
        """Read ``text`` and return the option's new value, given what it had ``collected``."""
        value = self.read(text)
        if self.shape == LIST:
            return [*collected, value]
        if self.shape == MAP:
            key, _, rest = value.partition("=")
            return {**collected, key: rest}
        if self.shape == FILTERS:
            return collected if value is None else _with_filter(collected, *value)
        return value


def _with_filter(collected: dict[str, list[str]], name: str, value: str) -> dict[str, list[str]]:
    values = collected.get(name, [])
    return {**collected, name: values if value in values else [*values, value]}


def _text(text: str) -> str:
    return text


def _bool(text: str) -> bool:
    if text == "true":
        return True
    from pyctr.cli.golang import parse_bool

    return parse_bool(text)


def _int(text: str) -> int:
    if text.isdecimal() and text.isascii() and text[0] != "0" and len(text) < 18:
        return int(text)
    from pyctr.cli.golang import parse_int

    return parse_int(text)


def _uint16(text: str) -> int:
    from pyctr.cli.golang import parse_uint

    return parse_uint(text, 16)


def _duration(text: str) -> int:
    from pyctr.cli.golang import parse_duration

    return parse_duration(text)


def _filter(text: str) -> tuple[str, str] | None:
    if not text:
        return None
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("bad format of filter (expected name=value)")
    return name.strip().lower(), value.strip()


def deferred(module: str, function: str) -> Callable[[str], Any]:
    """Return a parser that imports ``pyctr.cli.opts.<module>`` only when it is first called."""

    def read(text: str) -> Any:
        return getattr(__import__(f"pyctr.cli.opts.{module}", fromlist=(function,)), function)(text)

    return read


STRING = Kind("string", ONE, _text)
BOOL = Kind("", FLAG, _bool)
INT = Kind("int", ONE, _int)
UINT16 = Kind("uint16", ONE, _uint16)
DURATION = Kind("duration", ONE, _duration)
BYTES = Kind("bytes", ONE, deferred("sizes", "bytes_of"))
SWAP_BYTES = Kind("bytes", ONE, deferred("sizes", "swap_bytes_of"))
DECIMAL = Kind("decimal", ONE, deferred("sizes", "nano_cpus"))
STRINGS = Kind("list", LIST, _text)
STRING_MAP = Kind("map", MAP, _text)
FILTER = Kind("filter", FILTERS, _filter)


def checked_list(module: str, function: str, metavar: str = "list") -> Kind:
    """Return a repeatable kind whose values ``pyctr.cli.opts.<module>.<function>`` reads."""
    return Kind(metavar, LIST, deferred(module, function))
