"""JSON by CPython's own accelerator, without the ``json`` package around it.

That package imports ``re``, which costs ``pyctr run`` more than the database does. Where there is no
accelerator the package is what is used.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["dumps", "loads", "loads_or"]

_SPACE = " \t\n\r"


class _Plain:
    """What the scanner wants to know: nothing out of the ordinary."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner clears it after each document

    @staticmethod
    def parse_constant(name: str) -> float:
        raise ValueError(f"{name} is no JSON")


def _refuse(value: object) -> object:
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


try:
    from _json import encode_basestring_ascii, make_encoder, make_scanner

    _scan = make_scanner(_Plain())  # type: ignore[arg-type]
    _encode = make_encoder(None, _refuse, encode_basestring_ascii, None, ":", ",", False, False, False)

    def loads(text: str | bytes) -> Any:
        """The value of a JSON text; ValueError if it is none."""
        if isinstance(text, bytes):
            text = text.decode("utf-8", "surrogatepass")
        text = text.strip(_SPACE)
        try:
            value, end = _scan(text, 0)
        except (StopIteration, SystemError):  # it finds no exception to raise as long as json is not imported
            raise ValueError("not a JSON text") from None
        if end != len(text):
            raise ValueError(f"something behind the JSON text, at {end}")
        return value

    def dumps(value: Any) -> str:
        """A JSON text without needless spaces, in ASCII; TypeError for what has no form in JSON."""
        return "".join(_encode(value, 0))

except ImportError:
    import json as _json

    def loads(text: str | bytes) -> Any:
        return _json.loads(text)

    def dumps(value: Any) -> str:
        return _json.dumps(value, separators=(",", ":"), allow_nan=False)


def loads_or(text: str, default: Any) -> Any:
    """The value of a column's text; ``default`` when it is empty, or damaged and of another type."""
    if not text:
        return default
    try:
        value = loads(text)
    except ValueError:
        return default
    return value if isinstance(value, type(default)) else default
