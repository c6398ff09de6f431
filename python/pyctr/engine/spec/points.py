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
        Labels: dict[str, str]
        """Of a volume that is made for it; like the next."""
        DriverOpts: dict[str, str]


PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_LABELS = ("z", "Z")
_CONSISTENCIES = ("consistent", "cached", "delegated", "default")
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
        point = _anonymous(path, host)
        points.setdefault(point["Destination"], point)
    return sorted(points.values(), key=lambda point: (point["Destination"].count("/"), point["Destination"]))


def _anonymous(path: str, host: HostConfig) -> Point:
    """A volume without a name; unless the client, as docker's, took a name of one letter for a drive."""
    if ":" in path and not path.startswith("/"):
        return bind(path, host)
    return _volume("", _destination(path, _of_spec(path, "volume")), host)


def _asked(host: HostConfig) -> Iterable[Point]:
    for text in host.get("Binds") or ():
        yield bind(text, host)
    for mount in host.get("Mounts") or ():
        yield _mount(mount, host)
    for path, options in (host.get("Tmpfs") or {}).items():
        yield _tmpfs(_destination(path), [option for option in options.split(",") if option])


def bind(text: str, host: HostConfig | None = None) -> Point:
    """``[SOURCE:]DESTINATION[:MODE]``, where a source without a leading slash is the name of a volume."""
    parts = text.split(":")
    if len(parts) > 3 or not all(parts[:2]):
        raise InvalidParameter(f"invalid volume specification: '{text}'")
    kind = "bind" if len(parts) > 1 and parts[0].startswith("/") else "volume"
    destination = _destination(parts[min(1, len(parts) - 1)], _of_spec(text, kind))
    if len(parts) == 1:
        return _volume("", destination, host or {})
    source, mode = parts[0], parts[2] if len(parts) == 3 else ""
    if kind == "bind":
        point: Point = {"Type": "bind", "Source": posixpath.normpath(source), "Destination": destination}
        point |= {"Mode": mode, "RW": True, "Propagation": "rprivate", "Create": True}
    else:
        point = _volume(source, destination, host or {})
        point["Mode"] = mode or "z"
    _apply_mode(point, mode)
    return point


def _of_spec(text: str, kind: str) -> str:
    return f"invalid volume specification: '{text}': {_of_type(kind)}"


def _of_type(kind: str) -> str:
    return f'invalid mount config for type "{kind}": '


def _apply_mode(point: Point, mode: str) -> None:
    """Read the words of ``-v``'s third part, of which each kind may come once."""
    bind, kinds = point["Type"] == "bind", set()
    for word in mode.split(",") if mode else ():
        if word in ("ro", "rw"):
            kind, point["RW"] = "access", word == "rw"
        elif word in PROPAGATIONS and bind:
            kind, point["Propagation"] = "propagation", word
        elif word == "nocopy" and not bind:
            kind, point["NoCopy"] = "copy", True
        elif word in _LABELS:
            kind = "label"
        elif word in _CONSISTENCIES:
            kind = "consistency"
        else:
            raise InvalidParameter(f"invalid mode: {mode}")
        if kind in kinds:
            raise InvalidParameter(f"invalid mode: {mode}")
        kinds.add(kind)


def _mount(mount: Mount, host: HostConfig) -> Point:
    kind, source = mount.get("Type") or "volume", mount.get("Source") or ""
    if kind not in _TYPES:
        raise InvalidParameter(f"{_of_type(kind)}mount type unknown")
    if not mount.get("Target"):
        raise InvalidParameter(f"{_of_type(kind)}field Target must not be empty")
    destination = _destination(mount["Target"], _of_type(kind))
    if kind == "tmpfs":
        if source:
            raise InvalidParameter(f"{_of_type(kind)}field Source must not be specified")
        point = _tmpfs(destination, _tmpfs_options(mount))
    elif kind == "bind":
        point = _bind_mount(source, destination, mount.get("BindOptions") or {})
    else:
        point = _volume_mount(source, destination, mount.get("VolumeOptions") or {}, host)
    point["RW"] = not mount.get("ReadOnly")
    return point


def _volume_mount(name: str, destination: str, options: Mapping[str, Any], host: HostConfig) -> Point:
    driver = options.get("DriverConfig") or {}
    point = _volume(name, destination, host)
    asked: Point = {
        "Driver": driver.get("Name") or point["Driver"],
        "Mode": "z",
        "NoCopy": bool(options.get("NoCopy")),
        "Subpath": _subpath(options.get("Subpath") or ""),
        "Labels": dict(options.get("Labels") or {}),
        "DriverOpts": dict(driver.get("Options") or {}),
    }
    return point | asked


def _bind_mount(source: str, destination: str, options: Mapping[str, Any]) -> Point:
    if not source:
        raise InvalidParameter(f"{_of_type('bind')}field Source must not be empty")
    if not source.startswith("/"):
        raise InvalidParameter(
            f"{_of_type('bind')}invalid mount path: '{source}' mount path must be absolute"
        )
    propagation = options.get("Propagation") or "rprivate"
    if propagation not in PROPAGATIONS:
        raise InvalidParameter(f"{_of_type('bind')}invalid propagation mode: {propagation}")
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
            f'{_of_type("volume")}subpath "{path}" must be a relative path within the volume'
        )
    return path


def _destination(path: str, where: str = "") -> str:
    """Return ``path`` without needless slashes and dots; it must be absolute and not the root.

    ``where`` is what comes before the reason.
    """
    if not path.startswith("/"):
        raise InvalidParameter(f"{where}invalid mount path: '{path}' mount path must be absolute")
    # normpath keeps two leading slashes, as POSIX allows.
    clean = "/" + posixpath.normpath(path).lstrip("/")
    if clean == "/":
        raise InvalidParameter(f"{where}invalid specification: destination can't be '/'")
    return clean
