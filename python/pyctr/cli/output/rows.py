"""What the listings show of each container, image and volume."""

from __future__ import annotations

from pyctr.cli.output.units import ago, ellipsis, human_size, short_id, timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pyctr.cli.template import Record
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


def container_record(summary: ContainerSummary, *, truncate: bool) -> Record:
    """Return what ``ps`` shows of one container."""
    from pyctr.cli.golang import quote
    from pyctr.cli.template import Record

    names = [name[1:] for name in summary["Names"]]
    if truncate:
        names = next(([name] for name in names if "/" not in name), names)
    command = summary["Command"]
    mounts = [mount.get("Name") or mount.get("Source", "") for mount in summary["Mounts"]]
    networks = summary["NetworkSettings"].get("Networks") or {}
    labels = summary["Labels"] or {}
    return Record(
        {
            "ID": lambda: short_id(summary["Id"]) if truncate else summary["Id"],
            "Names": lambda: ",".join(names),
            "Image": lambda: _image_name(summary, truncate),
            "Command": lambda: quote(ellipsis(command, 20) if truncate else command),
            "CreatedAt": lambda: timestamp(summary["Created"]),
            "RunningFor": lambda: ago(summary["Created"]),
            "Ports": lambda: "",
            "State": lambda: summary["State"],
            "Status": lambda: summary["Status"],
            "Size": lambda: _container_size(summary),
            "Labels": lambda: label_text(labels),
            "Mounts": lambda: ",".join(ellipsis(name, 15) if truncate else name for name in mounts),
            "LocalVolumes": lambda: str(sum(mount.get("Driver") == "local" for mount in summary["Mounts"])),
            "Networks": lambda: ",".join(networks),
            "Platform": lambda: None,
        },
        {"Label": lambda name: labels.get(name, "")},
        "*formatter.ContainerContext",
    )


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


def _image_record(summary: ImageSummary, repository: str, tag: str, digest: str, truncate: bool) -> Record:
    from pyctr.cli.template import Record

    size, shared = summary["Size"], summary.get("SharedSize", -1)
    unique = "N/A" if shared < 0 else human_size(size - shared)
    containers = summary.get("Containers", -1)
    fields: dict[str, Any] = {
        "ID": lambda: short_id(summary["Id"]) if truncate else summary["Id"],
        "Repository": lambda: repository,
        "Tag": lambda: tag,
        "Digest": lambda: digest,
        "CreatedSince": lambda: ago(summary["Created"]) if summary["Created"] > 0 else "",
        "CreatedAt": lambda: timestamp(summary["Created"]),
        "Size": lambda: human_size(size, 3),
        "Containers": lambda: "N/A" if containers < 0 else str(containers),
        "VirtualSize": lambda: human_size(size),
        "SharedSize": lambda: "N/A" if shared < 0 else human_size(shared),
        "UniqueSize": lambda: unique,
    }
    return Record(fields, kind="*formatter.imageContext")


def volume_record(volume: Volume) -> Record:
    """Return what ``volume ls`` shows of one volume."""
    from pyctr.cli.template import Record

    usage = volume.get("UsageData")
    labels = volume["Labels"] or {}
    return Record(
        {
            "Name": lambda: volume["Name"],
            "Driver": lambda: volume["Driver"],
            "Scope": lambda: volume["Scope"],
            "Mountpoint": lambda: volume["Mountpoint"],
            "Labels": lambda: label_text(labels),
            "Links": lambda: str(usage["RefCount"]) if usage else "N/A",
            "Size": lambda: human_size(usage["Size"]) if usage else "N/A",
            "Status": lambda: "N/A",
            "Availability": lambda: "N/A",
            "Group": lambda: "N/A",
        },
        {"Label": lambda name: labels.get(name, "")},
        "*formatter.volumeContext",
    )
