"""Which words name which command. The modules are imported when their command is used."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.command import Command

_CONTAINER_VERBS = (
    "attach",
    "cp",
    "create",
    "diff",
    "exec",
    "export",
    "kill",
    "logs",
    "pause",
    "rename",
    "restart",
    "rm",
    "run",
    "start",
    "stats",
    "stop",
    "top",
    "unpause",
    "update",
    "wait",
)
_IMAGE_VERBS = {"history": "history", "import": "import_", "tag": "tag"}
_SYSTEM_VERBS = ("events", "info")

TOP: dict[str, str] = {
    **{verb: verb for verb in _CONTAINER_VERBS},
    **_IMAGE_VERBS,
    **{verb: verb for verb in _SYSTEM_VERBS},
    "completion": "completion",
    "images": "images",
    "inspect": "inspect",
    "ps": "ps",
    "rmi": "rmi",
    "version": "version",
}
"""Word -> module of :mod:`pyctr.cli.commands`."""

GROUPS: dict[str, tuple[str, dict[str, str]]] = {
    "container": (
        "Manage containers",
        {
            **{verb: verb for verb in _CONTAINER_VERBS},
            "inspect": "container_inspect",
            "list": "ps",
            "ls": "ps",
            "prune": "container_prune",
            "ps": "ps",
            "remove": "rm",
        },
    ),
    "image": (
        "Manage images",
        {
            **_IMAGE_VERBS,
            "inspect": "image_inspect",
            "list": "images",
            "ls": "images",
            "prune": "image_prune",
            "remove": "rmi",
            "rm": "rmi",
        },
    ),
    "system": ("Manage pyctr", {"df": "system_df", **{verb: verb for verb in _SYSTEM_VERBS}}),
    "volume": (
        "Manage volumes",
        {
            "create": "volume_create",
            "inspect": "volume_inspect",
            "list": "volume_ls",
            "ls": "volume_ls",
            "prune": "volume_prune",
            "remove": "volume_rm",
            "rm": "volume_rm",
        },
    ),
}
"""Group -> what it is for, and its words."""

ALIASES = frozenset(("list", "remove", "ps"))
"""Words of groups that are other names of a word listed there."""


def load(module: str) -> Command:
    """Import a command's module and return its table."""
    name = f"pyctr.cli.commands.{module}"
    command: Command = __import__(name, fromlist=("COMMAND",)).COMMAND
    return command
