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

    Both are functions of ``subject``, which is what the line is about, so that one table of them serves all
    lines. ``kind`` is the Go type docker names in its error texts.
    """

    __slots__ = ("fields", "kind", "methods", "subject")

    def __init__(
        self,
        subject: Any,
        fields: Mapping[str, Callable[[Any], Any]],
        methods: Mapping[str, Callable[..., Any]] | None = None,
        kind: str = "*formatter.Context",
    ) -> None:
        self.subject = subject
        self.fields = fields
        self.methods = methods
        self.kind = kind

    def field(self, name: str) -> Callable[[Any], Any] | None:
        """Return the function behind a field, or None when there is no such field."""
        return self.fields.get(name)

    def method(self, name: str) -> Callable[..., Any] | None:
        """Return a method, or None."""
        method = self.methods.get(name) if self.methods else None
        return None if method is None else lambda *given: method(self.subject, *given)

    def as_dict(self) -> dict[str, Any]:
        """Return every field by name, what ``{{json .}}`` shows."""
        return {name: self.fields[name](self.subject) for name in sorted(self.fields)}
