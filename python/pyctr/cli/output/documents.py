"""Prints whole documents: ``inspect`` and the ``--format`` of ``info``, ``version`` and ``events``.

Docker holds its documents in typed structures; ours are dictionaries. What a template can tell apart is put
back here: maps whose keys the user chose, lists and maps that are null, and fields that are not always there.
"""

from __future__ import annotations

from pyctr.cli.each import report
from pyctr.cli.output.listing import parse
from pyctr.cli.template import NilList, StringMap, TemplateError
from pyctr.errors import InvalidParameter, PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from pyctr.cli.context import Context

BAD_TEMPLATE = 64
"""Docker's exit code for a template that cannot be parsed."""
_MAPS = frozenset(
    (
        "Annotations",
        "Attributes",
        "Data",
        "DriverOpts",
        "ExposedPorts",
        "Labels",
        "Networks",
        "Options",
        "PortBindings",
        "Ports",
        "StorageOpt",
        "Sysctls",
        "Tmpfs",
        "Volumes",
    )
)
"""Fields that are maps from names of the user's."""
_POINTERS = frozenset(
    (
        "Health",
        "Healthcheck",
        "Init",
        "MemorySwappiness",
        "OomKillDisable",
        "PidsLimit",
        "SizeRootFs",
        "SizeRw",
        "StopTimeout",
    )
)
"""Fields that are null when nothing was said, and no lists."""


def typed(value: Any, name: str = "") -> Any:
    """Return a document with its maps and nulls as Go's types have them."""
    if isinstance(value, dict):
        is_map = name in _MAPS or (name == "Config" and "Image" not in value and "Env" not in value)
        items = {key: typed(item, "" if is_map else key) for key, item in value.items()}
        return StringMap(items) if is_map else items
    if isinstance(value, list):
        return [typed(item, name) for item in value]
    if value is None and name in _MAPS:
        nothing = StringMap()
        nothing.nil = True
        return nothing
    if value is None and name not in _POINTERS and name:
        return NilList()
    return value


def completed(value: Any, shape: Any) -> Any:
    """Return a document with the fields it may have and lacks, at their zero values.

    ``shape`` is the TypedDict of :mod:`pyctr.engine.types` that describes it, or its name.
    """
    from typing import get_type_hints

    from pyctr.engine import types

    shape = getattr(types, shape) if isinstance(shape, str) else shape
    if not isinstance(value, dict) or not hasattr(shape, "__required_keys__"):
        return value
    filled = dict(value)
    for key, hint in get_type_hints(shape, include_extras=True).items():
        inner, optional = _core(hint)
        if filled.get(key) is not None:
            filled[key] = completed(filled[key], inner)
        elif key not in filled:
            filled[key] = None if optional else _ZEROS.get(inner)
    return filled


_ZEROS = {bool: False, int: 0, str: ""}


def _core(hint: Any) -> tuple[Any, bool]:
    """Return a type without ``| None`` and ``NotRequired``, and whether it had them."""
    from types import NoneType, UnionType
    from typing import NotRequired, Union, get_args, get_origin

    optional = False
    while get_origin(hint) in (UnionType, Union, NotRequired):
        hint = next(argument for argument in get_args(hint) if argument is not NoneType)
        optional = True
    return hint, optional


def inspect(
    context: Context, names: Iterable[str], template: str, find: Callable[[str], tuple[Any, Any]]
) -> int:
    """Print the documents ``find`` gives (with their shape), those not found as errors; the exit code."""
    compiled = None
    if template not in ("", "json"):
        try:
            compiled = parse(template)
        except InvalidParameter as problem:
            report(context, problem)
            return BAD_TEMPLATE
    documents, lines, problems = [], [], []
    for name in names:
        try:
            document, shape = find(name)
            if compiled is None:
                documents.append(document)
            else:
                lines.append(filled_in(compiled, document, shape))
        except PyctrError as problem:
            problems.append(problem)
    if compiled is None:
        from pyctr.cli.gojson import dumps

        context.print(dumps(documents, 4 if template == "" else None))
    else:
        context.write("".join(lines) or "\n")
    for failure in problems:
        report(context, failure)
    return 1 if problems else 0


def show(context: Context, document: Any, template: str) -> int:
    """Print one document by a template; the exit code, which tells a template nobody can read from others."""
    try:
        compiled = parse("{{json .}}" if template == "json" else template)
    except InvalidParameter as problem:
        report(context, problem)
        return BAD_TEMPLATE
    try:
        context.print(compiled.execute(typed(document)))
    except TemplateError as problem:
        raise InvalidParameter(str(problem)) from None
    return 0


def filled_in(template: Any, document: Any, shape: Any) -> str:
    """Carry out a template; if it names what the document lacks, once more with that filled in."""
    try:
        return f"{template.execute(typed(document, 'document'))}\n"
    except TemplateError as error:
        first = error
    try:
        return f"{template.execute(typed(completed(document, shape), 'document'))}\n"
    except TemplateError:
        raise InvalidParameter(f"template parsing error: {first}") from None
