"""``--gpus all``, a number, or ``device=0,driver=nvidia,capabilities=utility,options=…``."""

from __future__ import annotations

from pyctr.cli.golang import parse_int
from pyctr.cli.opts.mount import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEYS = ("driver", "count", "device", "capabilities", "options")


def request(text: str) -> dict[str, Any]:
    """Read one request for GPUs; the result is a ``HostConfig.DeviceRequests`` entry."""
    found: dict[str, str] = {}
    seen = set()
    for field in fields(text):
        key, equals, value = field.partition("=")
        if key in seen:
            raise ValueError(f"gpu request key '{key}' can be specified only once")
        seen.add(key)
        if equals and key not in _KEYS:
            raise ValueError(f"unexpected key '{key}' in '{field}'")
        found[key if equals else "count"] = value if equals else field
    return _document(found)


def _document(found: dict[str, str]) -> dict[str, Any]:
    devices = found["device"].split(",") if "device" in found else None
    count = _count(found["count"]) if "count" in found else 0 if devices else 1
    capabilities = found["capabilities"].split(",") if "capabilities" in found else []
    if "gpu" not in capabilities:
        capabilities.append("gpu")
    pairs = fields(found["options"]) if found.get("options") else []
    return {
        "Driver": found.get("driver", ""),
        "Count": count,
        "DeviceIDs": devices,
        "Capabilities": [capabilities],
        "Options": dict(pair.partition("=")[::2] for pair in pairs),
    }


def _count(text: str) -> int:
    if text == "all":
        return -1
    try:
        return parse_int(text, base=10)
    except ValueError as problem:
        reason = str(problem).rpartition(": ")[2]
        raise ValueError(
            f'invalid count ({text}): value must be either "all" or an integer: {reason}'
        ) from None
