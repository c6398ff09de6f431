"""The values templates meet that plain Python has no word for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class _NoValue:
    """What a map gives for a key it does not have; prints as ``<no value>``, is false."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "<no value>"


NO_VALUE = _NoValue()


class NilList(list["Any"]):
    """A list that is null in JSON: empty otherwise."""


class StringMap(dict[str, "Any"]):
    """A map from names the user chose, such as labels: a key it lacks is no mistake.

    A plain ``dict`` is a document, where asking for an unknown field is. ``nil`` maps are null in JSON.
    """

    nil = False


class Record:
    """One line of a listing: fields computed when asked for, and methods (fields that take arguments).

    ``kind`` is the Go type docker names in its error texts.
    """

    __slots__ = ("_fields", "_methods", "kind")

    def __init__(
        self,
        fields: Mapping[str, Callable[[], Any]],
        methods: Mapping[str, Callable[..., Any]] | None = None,
        kind: str = "*formatter.Context",
    ) -> None:
        self._fields = fields
        self._methods = methods or {}
        self.kind = kind

    def field(self, name: str) -> Callable[[], Any] | None:
        """Return the function behind a field, or None when there is no such field."""
        return self._fields.get(name)

    def method(self, name: str) -> Callable[..., Any] | None:
        """Return a method, or None."""
        return self._methods.get(name)

    def as_dict(self) -> dict[str, Any]:
        """Return every field by name, what ``{{json .}}`` shows."""
        return {name: self._fields[name]() for name in sorted(self._fields)}
