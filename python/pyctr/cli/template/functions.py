"""What a pipeline can call: the functions of text/template and those docker adds.

A function raises :class:`Refused` with Go's reason; the evaluator says where it was.
"""

from __future__ import annotations

from pyctr.cli.template.gofmt import show, sprint, sprintf, sprintln, type_name
from pyctr.cli.template.values import NO_VALUE, StringMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class Refused(Exception):
    """Arguments a function cannot use."""


def truth(value: Any) -> bool:
    """Return what ``if`` makes of a value: documents are true, empty maps and lists are not."""
    if isinstance(value, dict) and not isinstance(value, StringMap):
        return True
    return bool(value)


def length(value: Any) -> int:
    """Return the number of elements, or of a string's bytes."""
    if isinstance(value, str):
        return len(value.encode(errors="surrogateescape"))
    if isinstance(value, list | tuple | dict):
        return len(value)
    if value is None or value is NO_VALUE:
        raise Refused("len of nil pointer")
    raise Refused(f"len of type {type_name(value)}")


def index(item: Any, *indexes: Any) -> Any:
    """Return ``item[a][b]…``."""
    if item is None or item is NO_VALUE:
        raise Refused("index of untyped nil")
    for place in indexes:
        if isinstance(item, StringMap):
            item = item.get(_key(place), "")
        elif isinstance(item, dict):
            item = item.get(_key(place), NO_VALUE)
        elif isinstance(item, list | tuple):
            item = item[_place(place, len(item) - 1)]
        elif isinstance(item, str):
            data = item.encode(errors="surrogateescape")
            item = data[_place(place, len(data) - 1)]
        elif item is None or item is NO_VALUE:
            raise Refused("index of nil pointer")
        else:
            raise Refused(f"can't index item of type {type_name(item)}")
    return item


def _key(place: Any) -> str:
    if place is None or place is NO_VALUE:
        raise Refused("value is nil; should be of type string")
    if not isinstance(place, str):
        raise Refused(f"value has type {type_name(place)}; should be string")
    return place


def _place(place: Any, last: int) -> int:
    if place is None or place is NO_VALUE:
        raise Refused("cannot index slice/array with nil")
    if not isinstance(place, int) or isinstance(place, bool):
        raise Refused(f"cannot index slice/array with type {type_name(place)}")
    if not 0 <= place <= last:
        raise Refused(f"index out of range: {place}")
    return place


def slice_(item: Any, *indexes: Any) -> Any:
    """Return ``item[a:b]``."""
    if item is None or item is NO_VALUE:
        raise Refused("slice of untyped nil")
    if len(indexes) > 3:
        raise Refused(f"too many slice indexes: {len(indexes)}")
    if not isinstance(item, str | list | tuple):
        raise Refused(f"can't slice item of type {type_name(item)}")
    if isinstance(item, str) and len(indexes) == 3:
        raise Refused("cannot 3-index slice a string")
    data = item.encode(errors="surrogateescape") if isinstance(item, str) else item
    places = [_place(place, len(data)) for place in indexes]
    start, end, *cap = [*places, *(0, len(data))[len(places) :]]
    for low, high in ((start, end), *((end, limit) for limit in cap)):
        if low > high:
            raise Refused(f"invalid slice index: {low} > {high}")
    part = data[start:end]
    return part.decode(errors="replace") if isinstance(part, bytes) else part


def _kind(value: Any) -> str:
    """Return the comparable kind of a value, empty when it has none."""
    for python, kind in ((bool, "bool"), (int, "int"), (float, "float"), (str, "string")):
        if isinstance(value, python):
            return kind
    return ""


def equal(first: Any, *others: Any) -> bool:
    """Tell whether the first is equal to any of the others."""
    if not others:
        raise Refused("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def _equal(one: Any, two: Any) -> bool:
    nothing = (None, NO_VALUE)
    if any(value is nil for value in (one, two) for nil in nothing):
        return any(one is nil for nil in nothing) and any(two is nil for nil in nothing)
    kinds = _kind(one), _kind(two)
    if kinds[0] != kinds[1]:
        raise Refused(f"incompatible types for comparison: {type_name(one)} and {type_name(two)}")
    if not kinds[0]:
        raise Refused(f"non-comparable type {show(two)}: {type_name(two)}")
    return bool(one == two)


def less(one: Any, two: Any) -> bool:
    """Tell whether ``one < two``; both numbers of one kind, or both strings."""
    kinds = _kind(one), _kind(two)
    if not all(kinds) or kinds == ("bool", "bool"):
        raise Refused("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise Refused(f"incompatible types for comparison: {type_name(one)} and {type_name(two)}")
    if kinds[0] == "string":
        return bool(one.encode(errors="surrogateescape") < two.encode(errors="surrogateescape"))
    return bool(one < two)


def _text(value: Any, what: str = "string") -> str:
    if value is None or value is NO_VALUE:
        raise Refused(f"invalid value; expected {what}")
    if not isinstance(value, str):
        raise Refused(f"wrong type for value; expected {what}; got {type_name(value)}")
    return value


def _int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(f"wrong type for value; expected int; got {type_name(value)}")
    return value


def _json(value: Any) -> str:
    from pyctr.cli.gojson import dumps

    return dumps(value)


def _split(text: Any, separator: Any) -> list[str]:
    whole, mark = _text(text), _text(separator)
    return whole.split(mark) if mark else list(whole)


def _join(items: Any, separator: Any) -> str:
    if not isinstance(items, list | tuple):
        raise Refused(f"wrong type for value; expected []string; got {type_name(items)}")
    return _text(separator).join(_text(item) for item in items)


def title(text: str) -> str:
    """Return the text with every word's first letter in upper case, as ``strings.Title``."""
    out, previous = "", " "
    for character in text:
        out += character if _inside_word(previous) else character.upper()
        previous = character
    return out


def _inside_word(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character == "_"
    return not character.isspace()


def _pad(text: Any, before: Any, after: Any) -> str:
    inner = _text(text)
    return " " * _int(before) + inner + " " * _int(after) if inner else inner


def _truncate(text: Any, size: Any) -> str:
    data = _text(text).encode(errors="surrogateescape")
    return _text(text) if len(data) < _int(size) else data[: max(_int(size), 0)].decode(errors="ignore")


_HTML = {"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"}
_JS = {
    "\\": "\\\\",
    "'": "\\'",
    '"': '\\"',
    "<": "\\u003C",
    ">": "\\u003E",
    "&": "\\u0026",
    "=": "\\u003D",
}
_URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"


def _html(*values: Any) -> str:
    return "".join(_HTML.get(character, character) for character in sprint(*values))


def _js(*values: Any) -> str:
    return "".join(
        _JS.get(character, f"\\u{ord(character):04X}" if character < " " else character)
        for character in sprint(*values)
    )


def _urlquery(*values: Any) -> str:
    data = sprint(*values).encode(errors="surrogateescape")
    return "".join(
        chr(byte) if chr(byte) in _URL_SAFE else "+" if byte == 32 else f"%{byte:02X}" for byte in data
    )


BUILTIN: Mapping[str, tuple[Callable[..., Any], int, int | None]] = {
    "eq": (equal, 1, None),
    "ge": (lambda one, two: not less(one, two), 2, 2),
    "gt": (lambda one, two: less(two, one), 2, 2),
    "html": (_html, 0, None),
    "index": (index, 1, None),
    "join": (_join, 2, 2),
    "js": (_js, 0, None),
    "json": (_json, 1, 1),
    "le": (lambda one, two: not less(two, one), 2, 2),
    "len": (length, 1, 1),
    "lower": (lambda text: _text(text).lower(), 1, 1),
    "lt": (less, 2, 2),
    "ne": (lambda one, two: not equal(one, two), 2, 2),
    "not": (lambda value: not truth(value), 1, 1),
    "pad": (_pad, 3, 3),
    "print": (sprint, 0, None),
    "printf": (lambda template, *values: sprintf(_text(template), *values), 1, None),
    "println": (sprintln, 0, None),
    "slice": (slice_, 1, None),
    "split": (_split, 2, 2),
    "title": (lambda text: title(_text(text)), 1, 1),
    "truncate": (_truncate, 2, 2),
    "upper": (lambda text: _text(text).upper(), 1, 1),
    "urlquery": (_urlquery, 0, None),
}
"""Each function with the fewest and the most arguments it takes."""

LAZY = ("and", "or")
"""Functions that stop evaluating their arguments when the answer is known."""

HEADER: Mapping[str, tuple[Callable[..., Any], int, int | None]] = {
    **BUILTIN,
    "json": (_text, 1, 1),
    "truncate": (lambda text, _size: _text(text), 2, 2),
    "pad": (_pad, 3, 3),
}
"""What the functions are while the header of a table is printed."""
