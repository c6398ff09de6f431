"""``pyctr version``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.commands.inspect import INSPECT_HELP
from pyctr.cli.values import STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> int:
    server = context.engine.version()
    document = {"Client": _client(server), "Server": server}
    if parsed["format"]:
        from pyctr.cli.output.documents import show

        return show(context, document, parsed["format"])
    context.write(_text(document))
    return 0


def _client(server: dict[str, Any]) -> dict[str, Any]:
    """Return what the client is: the engine itself, as there is no daemon between them."""
    keys = ("Version", "ApiVersion", "GitCommit", "GoVersion", "Os", "Arch", "BuildTime")
    return {key: server[key] for key in keys if key in server}


def _text(document: dict[str, Any]) -> str:
    server = document["Server"]
    lines = ["Client:", *_section(document["Client"], 1), "", "Server:", " Engine:", *_section(server, 2)]
    for component in server.get("Components") or ():
        if component.get("Name") != "Engine":
            lines += [f" {component['Name']}:", f"  {'Version:':<18}{component['Version']}"]
            details = component.get("Details") or {}
            lines += [f"  {f'{key}:':<18}{details[key]}" for key in sorted(details)]
    return "\n".join(lines) + "\n"


_TITLES = (
    ("Version", "Version"),
    ("ApiVersion", "API version"),
    ("MinAPIVersion", "Minimum API version"),
    ("GitCommit", "Git commit"),
    ("BuildTime", "Built"),
    ("KernelVersion", "Kernel version"),
)


def _section(document: dict[str, Any], indent: int) -> list[str]:
    space = " " * indent
    lines = [f"{space}{f'{title}:':<21}{document[key]}" for key, title in _TITLES if document.get(key)]
    return [*lines, f"{space}{'OS/Arch:':<21}{document.get('Os', '')}/{document.get('Arch', '')}"]


COMMAND = Command(
    "version",
    "[OPTIONS]",
    "Show the pyctr version information",
    run=run,
    options=(Option("format", "f", STRING, INSPECT_HELP, default=""),),
    most=0,
)
