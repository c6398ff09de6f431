"""``pyctr volume create``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.run_body import mapping
from pyctr.cli.values import STRING, STRING_MAP, checked_list
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    name = parsed["name"]
    if parsed.arguments:
        if name:
            raise InvalidParameter(
                "conflicting options: cannot specify a volume-name through both --name and an argument"
            )
        name = parsed.arguments[0]
    volume = context.engine.volumes.create(
        {
            "Name": name,
            "Driver": parsed["driver"],
            "DriverOpts": parsed["opt"],
            "Labels": mapping(parsed["label"]),
        }
    )
    context.print(volume["Name"])


COMMAND = Command(
    "volume create",
    "[OPTIONS] [VOLUME]",
    "Create a volume",
    run=run,
    options=(
        Option("driver", "d", STRING, "Specify volume driver name", default="local"),
        Option("label", "", checked_list("pairs", "label"), "Set metadata for a volume"),
        Option("name", "", STRING, "Specify volume name", default="", hidden=True),
        Option("opt", "o", STRING_MAP, "Set driver specific options"),
    ),
    most=1,
)
