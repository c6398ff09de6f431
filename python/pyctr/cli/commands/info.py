"""``pyctr info``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.commands.inspect import INSPECT_HELP
from pyctr.cli.values import STRING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.cli.context import Context

_FIELDS = (
    ("Containers", "Containers"),
    (" Running", "ContainersRunning"),
    (" Paused", "ContainersPaused"),
    (" Stopped", "ContainersStopped"),
    ("Images", "Images"),
    ("Server Version", "ServerVersion"),
    ("Storage Driver", "Driver"),
    ("Logging Driver", "LoggingDriver"),
    ("Cgroup Driver", "CgroupDriver"),
    ("Cgroup Version", "CgroupVersion"),
    ("Default Runtime", "DefaultRuntime"),
    ("Init Binary", "InitBinary"),
    ("OCI Runtime Binary", "PyctrOciPath"),
    ("Kernel Version", "KernelVersion"),
    ("Operating System", "OperatingSystem"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
    ("CPUs", "NCPU"),
    ("Total Memory", "MemTotal"),
    ("Name", "Name"),
    ("ID", "ID"),
    ("Root Dir", "DockerRootDir"),
)


def run(context: Context, parsed: Parsed) -> int:
    info = context.engine.info()
    if parsed["format"]:
        from pyctr.cli.output.documents import show

        return show(context, info, parsed["format"])
    context.write(_text(info))
    for warning in info.get("Warnings") or ():
        context.note(warning if warning.startswith("WARNING") else f"WARNING: {warning}")
    return 0


def _text(info: dict[str, Any]) -> str:
    """Return the information for people, one field a line."""
    lines = []
    for title, key in _FIELDS:
        if key not in info:
            continue
        value = info[key]
        if key == "MemTotal":
            from pyctr.cli.output.units import bytes_size

            value = bytes_size(value)
        lines.append(f"{title}: {value}")
        if key == "Driver":
            lines += [f" {name}: {status}" for name, status in info.get("DriverStatus") or ()]
        if key == "CgroupVersion":
            lines += _security(info.get("SecurityOptions") or ())
    return "\n".join(lines) + "\n"


def _security(options: Any) -> list[str]:
    """Return the security options, ``name=seccomp,profile=builtin`` being a name and what belongs to it."""
    lines = ["Security Options:"]
    for option in options:
        name, *details = option.split(",")
        lines.append(f" {name.removeprefix('name=')}")
        lines += [
            f"  {key.capitalize()}: {value}"
            for key, _, value in (detail.partition("=") for detail in details)
        ]
    return lines if len(lines) > 1 else []


COMMAND = Command(
    "info",
    "[OPTIONS]",
    "Display system-wide information",
    run=run,
    options=(Option("format", "f", STRING, INSPECT_HELP, default=""),),
    most=0,
    aliases=("system info",),
)
