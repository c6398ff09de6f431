"""``pyctr inspect``: containers, images and volumes by whatever name they have."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.values import BOOL, STRING
from pyctr.errors import InvalidParameter, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pyctr.cli.context import Context

INSPECT_HELP = """Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template"""
_TYPES = ("container", "image", "volume")


def run(context: Context, parsed: Parsed) -> int:
    kind = parsed["type"]
    if "type" in parsed.given and kind not in _TYPES:
        choices = '", "'.join(_TYPES)
        complaint = f"unknown type: {kind}" if kind else "type is empty"
        raise InvalidParameter(f'{complaint}: must be one of "{choices}"')
    kinds = (kind,) if kind else _TYPES
    return inspect_objects(context, parsed, kinds, size=parsed["size"])


def inspect_objects(context: Context, parsed: Parsed, kinds: tuple[str, ...], *, size: bool = False) -> int:
    """Print each argument's document, found as the first of these kinds that knows it."""
    from pyctr.cli.output.documents import inspect

    finders = _finders(context, size)

    def find(name: str) -> tuple[Any, Any]:
        for kind in kinds:
            try:
                return finders[kind](name)
            except NotFound:
                if len(kinds) == 1:
                    raise
            except InvalidParameter:
                if kind != "image" or len(kinds) == 1:  # no name of an image may be one of a volume
                    raise
        raise NotFound(f"no such object: {name}")

    return inspect(context, parsed.arguments, parsed["format"], find)


def _finders(context: Context, size: bool) -> dict[str, Callable[[str], tuple[Any, str]]]:
    """Return, for each kind of object, what gives its document and the name of its TypedDict."""
    engine = context.engine
    return {
        "container": lambda name: (engine.containers.inspect(name, size=size), "ContainerInspect"),
        "image": lambda name: (engine.images.inspect(name), "ImageInspect"),
        "volume": lambda name: (engine.volumes.inspect(name), "Volume"),
    }


FORMAT = Option("format", "f", STRING, INSPECT_HELP, default="")
COMMAND = Command(
    "inspect",
    "[OPTIONS] NAME|ID [NAME|ID...]",
    "Return low-level information on containers, images and volumes",
    run=run,
    options=(
        FORMAT,
        Option("size", "s", BOOL, "Display total file sizes if the type is container"),
        Option("type", "", STRING, "Only inspect objects of the given type", default="", complete="types"),
    ),
    least=1,
    complete="objects",
)
