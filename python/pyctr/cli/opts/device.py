"""Devices: ``--device``, ``--device-cgroup-rule``, and rates and weights of block devices."""

from __future__ import annotations

import posixpath

from pyctr.cli.golang import parse_uint
from pyctr.cli.opts.sizes import bytes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.types import DeviceMapping, ThrottleDevice, WeightDevice

_UINT64_RATE = (
    "invalid rate for device: {}. The correct format is <device-path>:<number>{}. "
    "Number must be a positive integer{}"
)


def device_mapping(text: str) -> DeviceMapping:
    """``/dev/host[:/dev/container][:rwm]``."""
    parts = text.split(":")
    if len(parts) > 3 or not parts[0]:
        raise ValueError(f"bad format for path: {text}")
    mode, whole = "rwm", len(parts) == 3  # docker cleans no path of a value with all three parts
    if whole or (len(parts) == 2 and _is_mode(parts[1])):
        mode = parts.pop()
        if not _is_mode(mode):
            raise ValueError(f"bad mode specified: {mode}")
    inside = parts[-1]
    if not inside.startswith("/"):
        raise ValueError(f"{inside} is not an absolute path")
    inside = inside if whole else clean(inside)
    host = parts[0] if len(parts) == 2 else inside
    return {"PathOnHost": host, "PathInContainer": inside, "CgroupPermissions": mode}


def clean(path: str) -> str:
    """Return a path without doubled slashes and dots; Go, unlike POSIX, keeps no leading double slash."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _is_mode(text: str) -> bool:
    return bool(text) and set(text) <= set("rwm") and len(set(text)) == len(text)


def is_cdi_name(text: str) -> bool:
    """Tell whether a ``--device`` value is the qualified name of a CDI device: ``vendor/class=name``."""
    kind, equals, name = text.partition("=")
    vendor, slash, klass = kind.partition("/")
    return bool(equals and slash and name and vendor and klass and vendor[0].isalpha())


def cgroup_rule(text: str) -> str:
    """``a|b|c major:minor rwm``, where a number may be ``*``."""
    kind, _, rest = text.partition(" ")
    numbers, _, mode = rest.partition(" ")
    major, colon, minor = numbers.partition(":")
    valid = (
        kind in ("a", "b", "c")
        and colon
        and all(part == "*" or (part.isascii() and part.isdecimal()) for part in (major, minor))
        and 1 <= len(mode) <= 3
        and set(mode) <= set("rwm")
    )
    if not valid:
        raise ValueError(f"invalid device cgroup format '{text}'")
    return text


def _split(text: str) -> tuple[str, str]:
    path, colon, value = text.partition(":")
    if not colon or not path:
        raise ValueError(f"bad format: {text}")
    if not path.startswith("/dev/"):
        raise ValueError(f"bad format for device path: {text}")
    return path, value


def rate_bps(text: str) -> ThrottleDevice:
    """``/dev/path:10mb``."""
    path, value = _split(text)
    try:
        rate = bytes_of(value)
    except ValueError:
        unit = ". Unit is optional and can be kb, mb, or gb"
        raise ValueError(_UINT64_RATE.format(text, "[<unit>]", unit)) from None
    return {"Path": path, "Rate": rate}


def rate_iops(text: str) -> ThrottleDevice:
    """``/dev/path:1000``."""
    path, value = _split(text)
    try:
        rate = parse_uint(value, base=10)
    except ValueError:
        raise ValueError(_UINT64_RATE.format(text, "", "")) from None
    return {"Path": path, "Rate": rate}


def weight(text: str) -> WeightDevice:
    """``/dev/path:10`` to ``1000``, or 0."""
    path, value = _split(text)
    try:
        number = parse_uint(value, 16, base=10)
    except ValueError:
        number = 1
    if number != 0 and not 10 <= number <= 1000:
        raise ValueError(f"invalid weight for device: {text}")
    return {"Path": path, "Weight": number}
