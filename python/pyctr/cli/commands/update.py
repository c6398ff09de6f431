"""``pyctr update``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.cli.each import for_each
from pyctr.cli.run_body import COPIED
from pyctr.cli.run_options import RESOURCES
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.cli.context import Context
    from pyctr.engine.types import UpdateBody


def run(context: Context, parsed: Parsed) -> int:
    body = update_body(parsed)

    def update(name: str) -> None:
        for warning in context.engine.containers.update(name, body)["Warnings"] or ():
            context.warn(warning)

    return for_each(context, parsed.arguments, update)


def update_body(parsed: Parsed) -> UpdateBody:
    """Return the body of ``POST /containers/{id}/update``: only what was given."""
    if not parsed.given:
        raise InvalidParameter("you must provide one or more flags when using this command")
    body: Any = {key: parsed[name] for key, name in COPIED if name in parsed.given}
    checked: UpdateBody = body  # built key by key from the table of options
    return checked


COMMAND = Command(
    "update",
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Update configuration of one or more containers",
    run=run,
    options=RESOURCES,
    least=1,
    aliases=("container update",),
    complete="containers",
)
