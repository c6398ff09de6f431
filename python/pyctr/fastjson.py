"""``loads`` and ``dumps`` of the json module without its import, which takes half as long as Python's start.

The C accelerator does the work in both; what json imports besides are regular expressions and enumerations
that only its fallback in Python needs. Differences: ``loads`` takes no options, ``dumps`` those below.
"""

from __future__ import annotations

from _json import encode_basestring, encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["dumps", "loads"]

_SPACE = " \t\n\r"
_CONSTANTS = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}


class _Decoding:
    """What the scanner asks of a decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = _CONSTANTS.__getitem__
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner empties it after each document


_scan = make_scanner(_Decoding)  # type: ignore[arg-type]  # typeshed wants a scanner to make one


def loads(text: str | bytes) -> Any:
    """Read a document; ValueError when it is none."""
    if not isinstance(text, str):
        text = bytes(text).decode("utf-8")
    start = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = _scan(text, start)
    except StopIteration as stop:
        raise ValueError(f"expecting value: char {stop.value}") from None
    if text[end:].strip(_SPACE):
        raise ValueError(f"extra data: char {end}")
    return value


def dumps(
    value: Any,
    *,
    separators: tuple[str, str] = (", ", ": "),
    sort_keys: bool = False,
    ensure_ascii: bool = True,
) -> str:
    """Write a document in one line; TypeError or ValueError for what JSON has no form for."""
    encode = encode_basestring_ascii if ensure_ascii else encode_basestring
    item, key = separators
    encoder = make_encoder({}, _refuse, encode, None, key, item, sort_keys, False, True)
    return "".join(encoder(value, 0))


def _refuse(value: Any) -> Any:
    raise TypeError(f"object of type {type(value).__name__} is not JSON serializable")
