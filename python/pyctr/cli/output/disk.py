"""What ``system df`` shows: a line for each kind of thing, or with ``-v`` one for each thing."""

from __future__ import annotations

from pyctr.cli.output.listing import execute, parse, render
from pyctr.cli.output.rows import (
    CONTAINER_HEADERS,
    IMAGE_HEADERS,
    VOLUME_HEADERS,
    container_record,
    image_records,
    volume_record,
)
from pyctr.cli.output.units import human_size
from pyctr.cli.template import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyctr.engine.types import DiskUsage

SUMMARY_HEADERS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
}
_IMAGES = (
    "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}"
    "\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}"
)
_CONTAINERS = (
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}"
    "\t{{.Names}}"
)
_VOLUMES = "table {{.Name}}\t{{.Links}}\t{{.Size}}"
_BUILD_CACHE = "table CACHE ID\tCACHE TYPE\tSIZE\tCREATED\tLAST USED\tUSAGE\tSHARED"
_LIVE = ("running", "paused", "restarting")


def summary_records(usage: DiskUsage) -> list[Record]:
    """Return the four lines of the overview."""
    images, containers, volumes = usage["Images"], usage["Containers"], usage["Volumes"]
    needed = sum(
        image["Size"] - max(image["SharedSize"], 0) for image in images if image.get("Containers", -1) != 0
    )
    sizes = [(one["State"] in _LIVE, one.get("SizeRw", 0)) for one in containers]
    spaces = [(one["UsageData"]["RefCount"] > 0, max(one["UsageData"]["Size"], 0)) for one in volumes]
    layers = usage["LayersSize"]
    return [
        _summary(
            "Images",
            len(images),
            _active([bool(one["Containers"]) for one in images]),
            layers,
            layers - needed,
        ),
        _of_kind("Containers", sizes),
        _of_kind("Local Volumes", spaces),
        _of_kind("Build Cache", []),
    ]


def _active(flags: Sequence[bool]) -> int:
    return sum(flags)


def _of_kind(kind: str, found: Sequence[tuple[bool, int]]) -> Record:
    """Return the line of things that are in use or not, and have a size."""
    whole = sum(size for _, size in found)
    return _summary(
        kind,
        len(found),
        _active([used for used, _ in found]),
        whole,
        sum(size for used, size in found if not used),
    )


class _Summary:
    """One line of the overview: how many there are, in use, and what they take and could give back."""

    __slots__ = ("active", "count", "free", "kind", "size")

    def __init__(self, kind: str, count: int, active: int, size: int, free: int) -> None:
        self.kind = kind
        self.count = count
        self.active = active
        self.size = size
        self.free = free

    def reclaimable(self) -> str:
        percent = f" ({self.free * 100 // self.size}%)" if self.size > 0 else ""
        return human_size(self.free) + percent


_FIELDS: dict[str, Callable[[_Summary], str]] = {
    "Type": lambda line: line.kind,
    "TotalCount": lambda line: str(line.count),
    "Active": lambda line: str(line.active),
    "Size": lambda line: human_size(line.size),
    "Reclaimable": _Summary.reclaimable,
}


def _summary(kind: str, count: int, active: int, size: int, free: int) -> Record:
    line = _Summary(kind, count, active, size, free)
    return Record(line, _FIELDS, kind="*formatter.diskUsageContext")


def details(usage: DiskUsage, source: str) -> str:
    """Return everything there is, in tables or by a template for all of it."""
    truncate = source in ("", "table")
    images = [
        record
        for image in usage["Images"]
        for record in image_records(image, truncate=truncate, digests=False)
    ]
    containers = [container_record(one, truncate=truncate) for one in usage["Containers"]]
    volumes = [volume_record(volume) for volume in usage["Volumes"]]
    if not truncate:
        value = {"Images": images, "Containers": containers, "Volumes": volumes, "BuildCache": []}
        return execute(parse("{{json .}}" if source == "json" else source), value) + "\n"
    return (
        f"Images space usage:\n\n{render(_IMAGES, images, IMAGE_HEADERS)}"
        f"\nContainers space usage:\n\n{render(_CONTAINERS, containers, CONTAINER_HEADERS)}"
        f"\nLocal Volumes space usage:\n\n{render(_VOLUMES, volumes, VOLUME_HEADERS)}"
        f"\nBuild cache usage: 0B\n\n{render(_BUILD_CACHE, [], {})}"
    )
