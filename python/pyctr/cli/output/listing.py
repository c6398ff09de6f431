"""Listings: one record a line, in a table, as JSON, or by the user's template."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from pyctr.cli.template import Record, Template

TABLE = "table"
FORMAT_HELP = """Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template"""


def render(source: str, records: Iterable[Record], headers: Mapping[str, str], narrowest: int = 10) -> str:
    """Return a listing: ``source`` is a template, ``table TEMPLATE`` or ``json``."""
    is_table = source.startswith(TABLE)
    text = source[len(TABLE) :] if is_table else "{{json .}}" if source == "json" else source
    template = parse(text.strip(" ").replace("\\t", "\t").replace("\\n", "\n"))
    lines = _lines(template, records)
    if not is_table:
        return lines
    from pyctr.cli.output.tabwriter import align

    return align(f"{_header(template, headers)}\n{lines}", narrowest)


def parse(text: str, complaint: str = "template parsing error") -> Template:
    """Compile a template; what is wrong with it is the user's error."""
    from pyctr.cli.template import TemplateError, compile_template

    try:
        return compile_template(text)
    except TemplateError as problem:
        raise InvalidParameter(f"{complaint}: {problem}") from None


def execute(template: Template, value: Any) -> str:
    """Carry out a template; what it asks for in vain is the user's error."""
    from pyctr.cli.template import TemplateError

    try:
        return template.execute(value)
    except TemplateError as problem:
        raise InvalidParameter(f"template parsing error: {problem}") from None


def _lines(template: Template, records: Iterable[Record]) -> str:
    from pyctr.cli.template import TemplateError

    try:
        return "".join(template.execute(record) + "\n" for record in records)
    except TemplateError as problem:
        raise InvalidParameter(f"template parsing error: {problem}") from None


def _header(template: Template, headers: Mapping[str, str]) -> str:
    """Carry the template out, as far as possible, with the names of the fields in place of their values."""
    from pyctr.cli.template import NO_VALUE, Record, TemplateError
    from pyctr.cli.template.functions import HEADER

    class Names(Record):
        __slots__ = ()

        def field(self, name: str) -> Callable[[Any], Any]:
            return lambda _: headers.get(name, NO_VALUE)

    def label(_: object, name: str) -> str:
        return name.rpartition(".")[2].replace("-", " ").replace("_", " ")

    try:
        return template.execute(Names(None, {}, {"Label": label}), HEADER)
    except TemplateError as problem:
        return problem.output
