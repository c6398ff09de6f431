"""What is to be mounted where: ``--volume``, ``--mount``, ``--tmpfs`` and an image's volumes as one list.

The list holds docker's ``MountPoint`` documents (inspect's ``Mounts``) with a few more keys. The engine makes
the volumes in it, fills in their ``Source``, and hands it to `build` in `HostFacts.points`.
"""

from __future__ import annotations

import posixpath

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from pyctr.engine.types import HostConfig, Json, Mount, MountPoint

    class Point(MountPoint, total=False):
        """A mount point with what inspect does not show."""

        Create: bool
        """Make a missing source: ``-v`` does, ``--mount`` refuses."""
        NoCopy: bool
        """Do not fill an empty volume with what the image has there."""
        Subpath: str
        """What of the volume is mounted, relative."""
        NonRecursive: bool
        """Leave the mounts below a bind's source out."""
        ReadOnlyNonRecursive: bool
        """Read-only at the top alone."""
        Options: list[str]
        """Of a tmpfs, for mount(2)."""
        Anonymous: bool
        """A volume without a name: the engine gives it one."""


PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_IGNORED_MODES = ("z", "Z", "consistent", "cached", "delegated", "")
_TYPES = ("bind", "volume", "tmpfs")


def planned(
    volumes: Mapping[str, Json] | None, host: HostConfig, inherited: Iterable[Point] = ()
) -> list[Point]:
    """Return all mount points of a container, sorted so that parents come before what lies in them.

    ``volumes`` is Config.Volumes; ``inherited`` comes from ``--volumes-from``, which the others override.
    """
    points: dict[str, Point] = {point["Destination"]: point for point in inherited}
    asked: dict[str, Point] = {}
    for point in _asked(host):
        if point["Destination"] in asked:
            raise InvalidParameter(f"duplicate mount point: {point['Destination']}")
        asked[point["Destination"]] = point
    points.update(asked)
    for path in volumes or ():
        destination = _destination(path, path)
        if destination not in points:
            points[destination] = _volume("", destination, host)
    return sorted(points.values(), key=lambda point: (point["Destination"].count("/"), point["Destination"]))


def _asked(host: HostConfig) -> Iterable[Point]:
    for text in host.get("Binds") or ():
        yield bind(text, host)
    for mount in host.get("Mounts") or ():
        yield _mount(mount, host)
    for path, options in (host.get("Tmpfs") or {}).items():
        yield _tmpfs(_destination(path, path), [option for option in options.split(",") if option])


def bind(text: str, host: HostConfig | None = None) -> Point:
    """``[SOURCE:]DESTINATION[:MODE]``, where a source without a leading slash is the name of a volume."""
    parts = text.split(":")
    if len(parts) > 3 or not all(parts[:2]):
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        return _volume("", _destination(parts[0], text), host or {})
    source, destination = parts[0], _destination(parts[1], text)
    mode = parts[2] if len(parts) == 3 else ""
    if source.startswith("/"):
        point: Point = {"Type": "bind", "Source": posixpath.normpath(source), "Destination": destination}
        point |= {"Mode": mode, "RW": True, "Propagation": "rprivate", "Create": True}
    else:
        point = _volume(source, destination, host or {})
        point["Mode"] = mode or "z"
    _apply_mode(point, mode)
    return point


def _apply_mode(point: Point, mode: str) -> None:
    words = mode.split(",") if mode else []
    if len([word for word in words if word in ("ro", "rw")]) > 1:
        raise InvalidParameter(f"invalid mode: {mode}")
    for word in words:
        if word == "ro":
            point["RW"] = False
        elif word in PROPAGATIONS and point["Type"] == "bind":
            point["Propagation"] = word
        elif word == "nocopy" and point["Type"] == "volume":
            point["NoCopy"] = True
        elif word != "rw" and word not in _IGNORED_MODES:
            raise InvalidParameter(f"invalid mode: {mode}")


def _mount(mount: Mount, host: HostConfig) -> Point:
    kind, source = mount.get("Type") or "volume", mount.get("Source") or ""
    if kind not in _TYPES:
        raise InvalidParameter(f'invalid mount config for type "{kind}": mount type unknown')
    if not mount.get("Target"):
        raise InvalidParameter(f'invalid mount config for type "{kind}": field Target must not be empty')
    destination = _destination(mount["Target"], mount["Target"])
    if kind == "tmpfs":
        if source:
            raise InvalidParameter(
                'invalid mount config for type "tmpfs": field Source must not be specified'
            )
        point = _tmpfs(destination, _tmpfs_options(mount))
    elif kind == "bind":
        point = _bind_mount(source, destination, mount.get("BindOptions") or {})
    else:
        options = mount.get("VolumeOptions") or {}
        point = _volume(source, destination, host)
        point |= {"NoCopy": bool(options.get("NoCopy")), "Subpath": _subpath(options.get("Subpath") or "")}
    point["RW"] = not mount.get("ReadOnly")
    return point


def _bind_mount(source: str, destination: str, options: Mapping[str, Any]) -> Point:
    if not source:
        raise InvalidParameter('invalid mount config for type "bind": field Source must not be empty')
    if not source.startswith("/"):
        reason = f"invalid mount path: '{source}' mount path must be absolute"
        raise InvalidParameter(f'invalid mount config for type "bind": {reason}')
    propagation = options.get("Propagation") or "rprivate"
    if propagation not in PROPAGATIONS:
        raise InvalidParameter(
            f'invalid mount config for type "bind": invalid propagation mode: {propagation}'
        )
    return {
        "Type": "bind",
        "Source": posixpath.normpath(source),
        "Destination": destination,
        "Mode": "",
        "RW": True,
        "Propagation": propagation,
        "Create": bool(options.get("CreateMountpoint")),
        "NonRecursive": bool(options.get("NonRecursive")),
        "ReadOnlyNonRecursive": bool(options.get("ReadOnlyNonRecursive")),
    }


def _volume(name: str, destination: str, host: HostConfig) -> Point:
    driver = host.get("VolumeDriver") or "local"
    point: Point = {
        "Type": "volume",
        "Name": name,
        "Source": "",
        "Destination": destination,
        "Driver": driver,
    }
    return point | {"Mode": "", "RW": True, "Propagation": "", "Anonymous": not name}


def _tmpfs(destination: str, options: list[str]) -> Point:
    point: Point = {"Type": "tmpfs", "Source": "", "Destination": destination, "Mode": "", "RW": True}
    return point | {"Propagation": "", "Options": options}


def _tmpfs_options(mount: Mount) -> list[str]:
    given = mount.get("TmpfsOptions") or {}
    options = ["=".join(option) for option in given.get("Options") or ()]
    if given.get("Mode"):
        options.append(f"mode={given['Mode']:o}")
    if given.get("SizeBytes"):
        options.append(f"size={given['SizeBytes']}")
    return options


def _subpath(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise InvalidParameter(
            f'invalid mount config for type "volume": subpath "{path}" must be a relative path within'
        )
    return path


def _destination(path: str, of: str) -> str:
    """Return ``path`` without needless slashes and dots; it must be absolute and not the root."""
    if not path.startswith("/"):
        raise InvalidParameter(
            f"invalid volume specification: '{of}': invalid mount path: '{path}' must be absolute"
        )
    # normpath keeps two leading slashes, as POSIX allows.
    clean = "/" + posixpath.normpath(path).lstrip("/")
    if clean == "/":
        raise InvalidParameter(f"invalid volume specification: '{of}': destination can't be '/'")
    return clean
