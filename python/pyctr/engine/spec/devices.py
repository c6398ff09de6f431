"""Devices: nodes of ``--device`` and ``--privileged``, and the rules of the devices cgroup."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict

    from pyctr.engine.spec.facts import HostFacts
    from pyctr.engine.types import DeviceMapping, HostConfig

    class Device(TypedDict):
        """A device node of the host, in OCI's words."""

        type: str
        """``c`` or ``b``."""
        path: str
        major: int
        minor: int
        fileMode: int
        """With or without the bits of the type."""
        uid: int
        gid: int

    Rule = dict[str, Any]
    Rules = list[Rule]


def _rule(
    kind: str, major: int | None, minor: int | None, access: str = "rwm", *, allow: bool = True
) -> Rule:
    rule: Rule = {"allow": allow, "type": kind, "access": access}
    if major is not None:
        rule["major"] = major
    if minor is not None:
        rule["minor"] = minor
    return rule


_DEFAULT: Rules = [
    {"allow": False, "access": "rwm"},
    # null, zero, random, urandom, tty and console; runtimes add what they make in /dev besides, and tun.
    *(_rule("c", 1, minor) for minor in (3, 5, 8, 9)),
    *(_rule("c", 5, minor) for minor in (0, 1)),
    # fuse, which needs --device.
    _rule("c", 10, 229, allow=False),
]


def devices(host: HostConfig, facts: HostFacts) -> tuple[list[Device], Rules]:
    """Return ``linux.devices`` and ``linux.resources.devices``."""
    _refuse_requests(host)
    privileged = bool(host.get("Privileged"))
    nodes: dict[str, Device] = {}
    rules: Rules = [{"allow": True, "access": "rwm"}] if privileged else list(_DEFAULT)
    if privileged:
        nodes = {device["path"]: _node(device, device["path"]) for device in facts.host_devices}
    for mapping in host.get("Devices") or ():
        for device in _mapped(mapping, facts):
            nodes[device["path"]] = device
            if not privileged:
                rules.append(_rule(device["type"], device["major"], device["minor"], _access(mapping)))
    for text in host.get("DeviceCgroupRules") or ():
        rule = cgroup_rule(text)
        if not privileged:
            rules.append(rule)
    return list(nodes.values()), rules


def _mapped(mapping: DeviceMapping, facts: HostFacts) -> list[Device]:
    """Return the nodes of one ``--device``; those of a directory keep their places below it."""
    source = mapping["PathOnHost"]
    target = mapping.get("PathInContainer") or source
    if not target.startswith("/"):
        raise InvalidParameter(f"invalid device path in the container: {target} is not absolute")
    found = facts.devices.get(source)
    if not found:
        reason = f'error gathering device information while adding custom device "{source}"'
        raise InvalidParameter(f"{reason}: not a device node")
    return [_node(device, target + device["path"].removeprefix(source)) for device in found]


def _node(device: Device, path: str) -> Device:
    return {**device, "path": path, "fileMode": device["fileMode"] & 0o7777}


def _access(mapping: DeviceMapping) -> str:
    access = mapping.get("CgroupPermissions") or "rwm"
    if not _is_access(access):
        raise InvalidParameter(f"invalid device mode: {access}")
    return access


def _is_access(text: str) -> bool:
    return 0 < len(text) <= 3 and len(set(text)) == len(text) and set(text) <= set("rwm")


def cgroup_rule(text: str) -> Rule:
    """``TYPE MAJOR:MINOR ACCESS``, as in ``c 7:* rmw``."""
    kind, _, rest = text.partition(" ")
    numbers, _, access = rest.partition(" ")
    major, _, minor = numbers.partition(":")
    if kind not in ("a", "b", "c") or not all(map(_is_number, (major, minor))) or not _is_access(access):
        raise InvalidParameter(f"invalid device cgroup rule format: '{text}'")
    return _rule(kind, _number(major), _number(minor), access)


def _is_number(text: str) -> bool:
    return text == "*" or (text.isascii() and text.isdigit() and len(text) < 10)


def _number(text: str) -> int | None:
    return None if text == "*" else int(text)


def _refuse_requests(host: HostConfig) -> None:
    for request in host.get("DeviceRequests") or ():
        driver = request.get("Driver") or ""
        wanted = " ".join(f"[{' '.join(group)}]" for group in request.get("Capabilities") or ())
        raise InvalidParameter(f'could not select device driver "{driver}" with capabilities: [{wanted}]')
