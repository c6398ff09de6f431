"""What the listings show of each container, image and volume."""

from __future__ import annotations

from pyctr.cli.golang import quote
from pyctr.cli.output.units import ago, ellipsis, human_size, short_id, timestamp
from pyctr.cli.template import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pyctr.engine.types import ContainerSummary, ImageSummary, Volume

CONTAINER_HEADERS = {
    "ID": "CONTAINER ID",
    "Names": "NAMES",
    "Image": "IMAGE",
    "Command": "COMMAND",
    "CreatedAt": "CREATED AT",
    "RunningFor": "CREATED",
    "Ports": "PORTS",
    "State": "STATE",
    "Status": "STATUS",
    "Size": "SIZE",
    "Labels": "LABELS",
    "Mounts": "MOUNTS",
    "LocalVolumes": "LOCAL VOLUMES",
    "Networks": "NETWORKS",
    "Platform": "PLATFORM",
}
IMAGE_HEADERS = {
    "ID": "IMAGE ID",
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
    "Containers": "CONTAINERS",
    "VirtualSize": "SIZE",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
}
VOLUME_HEADERS = {
    "Name": "VOLUME NAME",
    "Driver": "DRIVER",
    "Scope": "SCOPE",
    "Mountpoint": "MOUNTPOINT",
    "Labels": "LABELS",
    "Links": "LINKS",
    "Size": "SIZE",
    "Status": "STATUS",
    "Availability": "AVAILABILITY",
    "Group": "GROUP",
}


def label_text(labels: Mapping[str, str] | None) -> str:
    """Return labels in one line, by name."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))


class _Line:
    """What a line is about, and whether long things are cut."""

    __slots__ = ("about", "truncate")

    def __init__(self, about: Any, truncate: bool) -> None:
        self.about = about
        self.truncate = truncate

    def id(self) -> str:
        full: str = self.about["Id"]
        return short_id(full) if self.truncate else full


def _label(labels: Mapping[str, str] | None, name: str) -> str:
    return (labels or {}).get(name, "")


def _names(line: _Line) -> str:
    names = [name[1:] for name in line.about["Names"]]
    if line.truncate:
        names = next(([name] for name in names if "/" not in name), names)
    return ",".join(names)


def _command(line: _Line) -> str:
    command = line.about["Command"]
    return quote(ellipsis(command, 20) if line.truncate else command)


def _mounts(line: _Line) -> str:
    mounts = [mount.get("Name") or mount.get("Source", "") for mount in line.about["Mounts"]]
    return ",".join(ellipsis(name, 15) if line.truncate else name for name in mounts)


CONTAINER_FIELDS: dict[str, Callable[[_Line], Any]] = {
    "ID": _Line.id,
    "Names": _names,
    "Image": lambda line: _image_name(line.about, line.truncate),
    "Command": _command,
    "CreatedAt": lambda line: timestamp(line.about["Created"]),
    "RunningFor": lambda line: ago(line.about["Created"]),
    "Ports": lambda _: "",
    "State": lambda line: line.about["State"],
    "Status": lambda line: line.about["Status"],
    "Size": lambda line: _container_size(line.about),
    "Labels": lambda line: label_text(line.about["Labels"]),
    "Mounts": _mounts,
    "LocalVolumes": lambda line: str(sum(mount.get("Driver") == "local" for mount in line.about["Mounts"])),
    "Networks": lambda line: ",".join(line.about["NetworkSettings"].get("Networks") or ()),
    "Platform": lambda _: None,
}
_CONTAINER_METHODS: dict[str, Callable[..., Any]] = {
    "Label": lambda line, name: _label(line.about["Labels"], name)
}


def container_record(summary: ContainerSummary, *, truncate: bool) -> Record:
    """Return what ``ps`` shows of one container."""
    kind = "*formatter.ContainerContext"
    return Record(_Line(summary, truncate), CONTAINER_FIELDS, _CONTAINER_METHODS, kind)


def _image_name(summary: ContainerSummary, truncate: bool) -> str:
    name = summary["Image"]
    if not truncate or not name:
        return name or "<no image>"
    if short_id(summary["ImageID"]) == short_id(name):
        return short_id(name)
    return name.partition("@")[0]


def _container_size(summary: ContainerSummary) -> str:
    size = human_size(summary.get("SizeRw", 0), 3)
    whole = summary.get("SizeRootFs", 0)
    return f"{size} (virtual {human_size(whole, 3)})" if whole > 0 else size


def image_records(summary: ImageSummary, *, truncate: bool, digests: bool) -> list[Record]:
    """Return the lines ``images`` shows of one image: one for each tag, and digest if they are asked for."""
    tags = [tag.rpartition(":")[::2] for tag in summary.get("RepoTags") or [] if tag != "<none>:<none>"]
    known = [digest.partition("@")[::2] for digest in summary.get("RepoDigests") or []]
    lines = []
    for repository, tag in tags:
        own = [digest for name, digest in known if name == repository] if digests else []
        lines += [(repository, tag, digest) for digest in own or ["<none>"]]
    tagged = {repository for repository, _ in tags}
    lines += [(name, "<none>", digest) for name, digest in known if name not in tagged]
    return [_image_record(summary, *line, truncate) for line in lines or [("<none>", "<none>", "<none>")]]


class _ImageLine(_Line):
    """One name of an image."""

    __slots__ = ("digest", "repository", "tag")

    def __init__(self, about: Any, repository: str, tag: str, digest: str, truncate: bool) -> None:
        super().__init__(about, truncate)
        self.repository = repository
        self.tag = tag
        self.digest = digest


def _unique_size(image: Any) -> str:
    shared = image.get("SharedSize", -1)
    return "N/A" if shared < 0 else human_size(image["Size"] - shared)


def _known(number: int, words: Callable[[int], str]) -> str:
    return "N/A" if number < 0 else words(number)


IMAGE_FIELDS: dict[str, Callable[[_ImageLine], Any]] = {
    "ID": _Line.id,
    "Repository": lambda line: line.repository,
    "Tag": lambda line: line.tag,
    "Digest": lambda line: line.digest,
    "CreatedSince": lambda line: ago(line.about["Created"]) if line.about["Created"] > 0 else "",
    "CreatedAt": lambda line: timestamp(line.about["Created"]),
    "Size": lambda line: human_size(line.about["Size"], 3),
    "Containers": lambda line: _known(line.about.get("Containers", -1), str),
    "VirtualSize": lambda line: human_size(line.about["Size"]),
    "SharedSize": lambda line: _known(line.about.get("SharedSize", -1), human_size),
    "UniqueSize": lambda line: _unique_size(line.about),
}


def _image_record(summary: ImageSummary, repository: str, tag: str, digest: str, truncate: bool) -> Record:
    line = _ImageLine(summary, repository, tag, digest, truncate)
    return Record(line, IMAGE_FIELDS, kind="*formatter.imageContext")


VOLUME_FIELDS: dict[str, Callable[[Any], Any]] = {
    "Name": lambda volume: volume["Name"],
    "Driver": lambda volume: volume["Driver"],
    "Scope": lambda volume: volume["Scope"],
    "Mountpoint": lambda volume: volume["Mountpoint"],
    "Labels": lambda volume: label_text(volume["Labels"]),
    "Links": lambda volume: str(volume["UsageData"]["RefCount"]) if volume.get("UsageData") else "N/A",
    "Size": lambda volume: human_size(volume["UsageData"]["Size"]) if volume.get("UsageData") else "N/A",
    "Status": lambda _: "N/A",
    "Availability": lambda _: "N/A",
    "Group": lambda _: "N/A",
}
_VOLUME_METHODS: dict[str, Callable[..., Any]] = {
    "Label": lambda volume, name: _label(volume["Labels"], name)
}


def volume_record(volume: Volume) -> Record:
    """Return what ``volume ls`` shows of one volume."""
    return Record(volume, VOLUME_FIELDS, _VOLUME_METHODS, "*formatter.volumeContext")
