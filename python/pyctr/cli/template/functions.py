"""What a pipeline can call: the functions of text/template and those docker adds.

A function raises :class:`Refused` with Go's reason; the evaluator says where it was.
"""

from __future__ import annotations

from pyctr.cli.template.gofmt import show, sprint, sprintln, type_name
from pyctr.cli.template.values import NO_VALUE, StringMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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
    if not kinds[0] and type_name(one) != type_name(two):
        pair = f"{show(one)}: {type_name(one)}, {type_name(two)}: {show(two)}"
        raise Refused(f"non-comparable types {pair}")
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


def _json(value: Any) -> str:
    from pyctr.cli.gojson import dumps

    return dumps(value)


def _printf(template: str, *values: Any) -> str:
    from pyctr.cli.template.printf import sprintf

    return sprintf(template, *values)


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else list(text)


def _join(items: Sequence[str], separator: str) -> str:
    return separator.join(items)


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


def _pad(text: str, before: int, after: int) -> str:
    if text and min(before, after) < 0:
        raise Refused("strings: negative Repeat count")
    return " " * before + text + " " * after if text else text


def _truncate(text: str, size: int) -> str:
    data = text.encode(errors="surrogateescape")
    if size < 0:
        raise Refused(f"runtime error: slice bounds out of range [:{size}]")
    return text if len(data) < size else data[:size].decode(errors="ignore")


def _not_above(one: Any, two: Any) -> bool:
    return less(one, two) or equal(one, two)


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
    "gt": (lambda one, two: not _not_above(one, two), 2, 2),
    "html": (_html, 0, None),
    "index": (index, 1, None),
    "join": (_join, 2, 2),
    "js": (_js, 0, None),
    "json": (_json, 1, 1),
    "le": (_not_above, 2, 2),
    "len": (length, 1, 1),
    "lower": (str.lower, 1, 1),
    "lt": (less, 2, 2),
    "ne": (lambda one, two: not equal(one, two), 2, 2),
    "not": (lambda value: not truth(value), 1, 1),
    "pad": (_pad, 3, 3),
    "print": (sprint, 0, None),
    "printf": (_printf, 1, None),
    "println": (sprintln, 0, None),
    "slice": (slice_, 1, None),
    "split": (_split, 2, 2),
    "title": (title, 1, 1),
    "truncate": (_truncate, 2, 2),
    "upper": (str.upper, 1, 1),
    "urlquery": (_urlquery, 0, None),
}
"""Each function with the fewest and the most arguments it takes."""

LAZY = ("and", "or")
"""Functions that stop evaluating their arguments when the answer is known."""

TYPES: Mapping[str, tuple[str, ...]] = {
    "join": ("[]string", "string"),
    "lower": ("string",),
    "pad": ("string", "int", "int"),
    "printf": ("string",),
    "split": ("string", "string"),
    "title": ("string",),
    "truncate": ("string", "int"),
    "upper": ("string",),
}
"""The Go types of the arguments of those functions that do not take just anything."""


def fits(value: Any, wanted: str) -> bool:
    """Tell whether a value has one of those types."""
    if wanted == "string":
        return isinstance(value, str)
    if wanted == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)


def _same(text: Any) -> str:
    if not isinstance(text, str):
        raise Refused(f"wrong type for value; expected string; got {type_name(text)}")
    return text


HEADER: Mapping[str, tuple[Callable[..., Any], int, int | None]] = {
    **BUILTIN,
    "json": (_same, 1, 1),
    "truncate": (lambda text, _size: text, 2, 2),
}
"""What the functions are while the header of a table is printed."""
