"""``--mount type=…,source=…,target=…``, the long form of mounts."""

from __future__ import annotations

import os

from pyctr.cli.golang import parse_bool, parse_uint
from pyctr.cli.opts.sizes import bytes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ALONE = {"readonly": "readonly", "ro": "readonly", "volume-nocopy": "volume-nocopy", "bind-nonrecursive": ""}
_RECURSIVE = {
    "disabled": "NonRecursive",
    "writable": "ReadOnlyNonRecursive",
    "readonly": "ReadOnlyForceRecursive",
}


class _Mount:
    """A mount being read: each key is a method, ``volume-opt`` being ``volume_opt``."""

    def __init__(self) -> None:
        self.mount: dict[str, Any] = {"Type": "volume"}
        self.groups: dict[str, dict[str, Any]] = {}

    def group(self, kind: str) -> dict[str, Any]:
        """Return the options of one type of mount, remembering that they were used."""
        return self.groups.setdefault(kind, {})

    def read(self, field: str) -> None:
        key, equals, value = field.partition("=")
        key = key.lower()
        if not equals:
            if key not in _ALONE:
                raise ValueError(f"invalid field '{field}' must be a key=value pair")
            value = "true"
        setter = _SETTERS.get(key)
        if setter is None:
            raise ValueError(f"unexpected key '{key}' in '{field}'")
        setter(self, key, value)


def mount(text: str) -> dict[str, Any]:
    """Read one mount; the result is a ``HostConfig.Mounts`` entry."""
    reading = _Mount()
    for field in fields(text):
        reading.read(field)
    return _finish(reading)


def fields(text: str) -> list[str]:
    """Split the first line of comma separated values, as Go's encoding/csv does."""
    rest, found = text.partition("\n")[0] if '"' not in text else text, []
    if not rest.strip("\r\n"):
        raise ValueError("EOF")
    while True:
        if rest.startswith('"'):
            field, rest, more = _quoted_field(rest)
        else:
            field, comma, rest = rest.partition(",")
            more = bool(comma)
            if '"' in field:
                raise ValueError(
                    f'parse error on line 1, column {_column(text, field)}: bare " in non-quoted-field'
                )
        found.append(field)
        if not more:
            return found


def _column(text: str, field: str) -> int:
    return len(text[: text.index(field)].encode()) + len(field[: field.index('"')].encode()) + 1


def _quoted_field(rest: str) -> tuple[str, str, bool]:
    """Read a field in quotes, where a doubled quote stands for one."""
    field, position = "", 1
    while True:
        end = rest.find('"', position)
        if end < 0:
            raise ValueError(
                "parse error on line 1, column "
                f'{len(rest.encode()) + 1}: extraneous or missing " in quoted-field'
            )
        field += rest[position:end]
        following = rest[end + 1 : end + 2]
        if following == '"':
            field += '"'
            position = end + 2
        elif following in ("", ","):
            return field, rest[end + 2 :], following == ","
        else:
            raise ValueError(
                f'parse error on line 1, column {end + 1}: extraneous or missing " in quoted-field'
            )


def _type(reading: _Mount, _key: str, value: str) -> None:
    reading.mount["Type"] = value.lower()


def _source(reading: _Mount, _key: str, value: str) -> None:
    reading.mount["Source"] = os.path.abspath(value) if value.startswith(".") else value


def _target(reading: _Mount, _key: str, value: str) -> None:
    reading.mount["Target"] = value


def _consistency(reading: _Mount, _key: str, value: str) -> None:
    reading.mount["Consistency"] = value.lower()


def _read_only(reading: _Mount, key: str, value: str) -> None:
    reading.mount["ReadOnly"] = _bool(key, value)


def _bool(key: str, value: str) -> bool:
    try:
        return parse_bool(value)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


def _propagation(reading: _Mount, _key: str, value: str) -> None:
    reading.group("bind")["Propagation"] = value.lower()


def _nonrecursive(reading: _Mount, key: str, value: str) -> None:
    reading.group("bind")["NonRecursive"] = _bool(key, value)


def _recursive(reading: _Mount, key: str, value: str) -> None:
    if value == "enabled":
        return
    if value not in _RECURSIVE:
        choices = '"enabled", "disabled", "writable", or "readonly"'
        raise ValueError(f"invalid value for {key}: {value} (must be {choices})")
    reading.group("bind")[_RECURSIVE[value]] = True


def _subpath(reading: _Mount, key: str, value: str) -> None:
    reading.group(key.partition("-")[0])["Subpath"] = value


def _nocopy(reading: _Mount, key: str, value: str) -> None:
    reading.group("volume")["NoCopy"] = _bool(key, value)


def _label(reading: _Mount, _key: str, value: str) -> None:
    _put(reading.group("volume").setdefault("Labels", {}), value)


def _driver(reading: _Mount, _key: str, value: str) -> None:
    reading.group("volume").setdefault("DriverConfig", {})["Name"] = value


def _driver_option(reading: _Mount, _key: str, value: str) -> None:
    _put(reading.group("volume").setdefault("DriverConfig", {}).setdefault("Options", {}), value)


def _put(target: dict[str, str], pair: str) -> None:
    key, _, value = pair.partition("=")
    if key:
        target[key] = value


def _tmpfs_size(reading: _Mount, key: str, value: str) -> None:
    try:
        reading.group("tmpfs")["SizeBytes"] = bytes_of(value)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


def _tmpfs_mode(reading: _Mount, key: str, value: str) -> None:
    try:
        reading.group("tmpfs")["Mode"] = parse_uint(value, 32, base=8)
    except ValueError:
        raise ValueError(f"invalid value for {key}: {value}") from None


_SETTERS = {
    "type": _type,
    "source": _source,
    "src": _source,
    "target": _target,
    "dst": _target,
    "destination": _target,
    "readonly": _read_only,
    "ro": _read_only,
    "consistency": _consistency,
    "bind-propagation": _propagation,
    "bind-nonrecursive": _nonrecursive,
    "bind-recursive": _recursive,
    "volume-subpath": _subpath,
    "volume-nocopy": _nocopy,
    "volume-label": _label,
    "volume-driver": _driver,
    "volume-opt": _driver_option,
    "image-subpath": _subpath,
    "tmpfs-size": _tmpfs_size,
    "tmpfs-mode": _tmpfs_mode,
}
_DOCUMENT_KEYS = {
    "volume": "VolumeOptions",
    "image": "ImageOptions",
    "bind": "BindOptions",
    "tmpfs": "TmpfsOptions",
}


def _finish(reading: _Mount) -> dict[str, Any]:
    """Check that the options go with the type, and put them where the API has them."""
    mount, kind = reading.mount, reading.mount["Type"]
    if not kind:
        raise ValueError("type is required")
    if not mount.get("Target"):
        raise ValueError("target is required")
    for group, key in _DOCUMENT_KEYS.items():
        if group not in reading.groups:
            continue
        if group != kind:
            raise ValueError(f"cannot mix '{group}-*' options with mount type '{kind}'")
        mount[key] = {name: value for name, value in reading.groups[group].items() if value not in ("", 0)}
    if "bind" in reading.groups:
        _check_recursive(mount, reading.groups["bind"])
    if "volume" in reading.groups:
        mount["VolumeOptions"].setdefault("DriverConfig", {})
    return {key: value for key, value in mount.items() if value not in ("", False)}


def _check_recursive(mount: dict[str, Any], options: dict[str, Any]) -> None:
    for key, word in (("ReadOnlyNonRecursive", "writable"), ("ReadOnlyForceRecursive", "readonly")):
        if options.get(key) and not mount.get("ReadOnly"):
            raise ValueError(
                f"option 'bind-recursive={word}' requires 'readonly' to be specified in conjunction"
            )
    if options.get("ReadOnlyForceRecursive") and options.get("Propagation") != "rprivate":
        raise ValueError(
            "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' "
            "to be specified in conjunction"
        )
