"""JSON as Go writes it: maps by key, documents in their own order, no escapes but the needed ones."""

from __future__ import annotations

import json

from pyctr.cli.template.values import NO_VALUE, NilList, Record, StringMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def dumps(value: Any, indent: int | None = None) -> str:
    """Return ``value`` as JSON in one line, or indented by so many spaces."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(_plain(value), ensure_ascii=False, separators=separators, indent=indent)
    if isinstance(value, Record):  # docker prints the lines of listings with Go's own, more careful, encoder
        text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _plain(value: Any) -> Any:
    """Return the value in json's own types, nil lists and maps as null."""
    if isinstance(value, StringMap):
        return None if value.nil else {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, NilList) or value is NO_VALUE:
        return None
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Record):
        return value.as_dict()
    return value
