"""What can be wrong with a template."""

from __future__ import annotations


class TemplateError(Exception):
    """A template that cannot be parsed or carried out; the text is Go's."""

    output = ""
    """What it had printed by then."""


class ParseError(TemplateError):
    """The template is not well formed."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"template: :{line}: {reason}")


class ExecutionError(TemplateError):
    """The template asks for something the value does not have."""

    def __init__(self, line: int, column: int, name: str, node: str, reason: str) -> None:
        from pyctr.cli.golang import quote

        super().__init__(f"template: :{line}:{column}: executing {quote(name)} at <{node}>: {reason}")
