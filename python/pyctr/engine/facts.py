"""Find out what ``spec.build`` has to know: about the machine, once a process, and about the container."""

from __future__ import annotations

import os
import stat

from pyctr import _core
from pyctr.engine.spec.facts import HostFacts
from pyctr.engine.state import LIVE, refresh
from pyctr.errors import Conflict, InvalidParameter
from pyctr.store.json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.spec.devices import Device

_LIMITS = {
    "Max cpu time": "RLIMIT_CPU",
    "Max file size": "RLIMIT_FSIZE",
    "Max data size": "RLIMIT_DATA",
    "Max stack size": "RLIMIT_STACK",
    "Max core file size": "RLIMIT_CORE",
    "Max resident set": "RLIMIT_RSS",
    "Max processes": "RLIMIT_NPROC",
    "Max open files": "RLIMIT_NOFILE",
    "Max locked memory": "RLIMIT_MEMLOCK",
    "Max address space": "RLIMIT_AS",
    "Max file locks": "RLIMIT_LOCKS",
    "Max pending signals": "RLIMIT_SIGPENDING",
    "Max msgqueue size": "RLIMIT_MSGQUEUE",
    "Max nice priority": "RLIMIT_NICE",
    "Max realtime priority": "RLIMIT_RTPRIO",
    "Max realtime timeout": "RLIMIT_RTTIME",
}
_BLKIO_DEVICE_KEYS = (
    "BlkioWeightDevice",
    "BlkioDeviceReadBps",
    "BlkioDeviceWriteBps",
    "BlkioDeviceReadIOps",
    "BlkioDeviceWriteIOps",
)
_BLKIO_WEIGHT_FILES = (
    "/sys/fs/cgroup/blkio/blkio.bfq.weight",
    "/sys/fs/cgroup/blkio/blkio.weight",
    "/sys/fs/cgroup/io.weight",
)

_JOINABLE = (("network", "net", "NetworkMode"), ("ipc", "ipc", "IpcMode"), ("pid", "pid", "PidMode"))

_machine: dict[str, Any] = {}


def gather(core: Core, id: str, doc: dict[str, Any], *, dry: bool = False) -> HostFacts:
    """Everything about this container and this machine.

    ``dry``: the specification is only to be checked, so containers whose namespaces it joins need not run.
    """
    host: t.HostConfig = doc["HostConfig"]
    facts = HostFacts(id)
    for name, value in machine().items():
        setattr(facts, name, value)
    facts.points = doc["Points"]
    facts.joined = _joined(core, host, dry)
    if "ipc" in facts.joined and not dry:
        facts.shm_source = facts.joined["ipc"].replace("ns/ipc", "root/dev/shm")
    if host.get("Devices"):
        facts.devices = {
            mapping["PathOnHost"]: _devices(mapping["PathOnHost"]) for mapping in host["Devices"]
        }
    if host.get("Privileged"):
        facts.host_devices = list(_walk("/dev"))
    if host.get("BlkioWeight"):
        facts.blkio_weight = any(os.path.exists(path) for path in _BLKIO_WEIGHT_FILES)
    facts.block_devices = dict(_block_devices(host))
    return facts


def machine() -> dict[str, Any]:
    """What does not change while this process lives, by the names of HostFacts."""
    return _machine or _look_around()


def _look_around() -> dict[str, Any]:
    system = os.uname()
    groups = loads(_core.cgroup_info())
    status = _fields("/proc/self/status")
    _machine.update(
        machine=system.machine,
        kernel=_version(system.release),
        cpus=os.cpu_count() or 0,
        cgroup_version=2 if groups["version"] == 2 else 1,
        controllers=frozenset(groups["controllers"]),
        swap_limit=groups["swap"],
        time_namespace=os.path.exists("/proc/self/ns/time"),
        thermal_throttle=_thermal_throttle(),
        bounding=int(status["CapBnd"], 16),
        effective=int(status["CapEff"], 16),
        hard_limits=dict(_hard_limits()),
        oom_score_adj=int(_text("/proc/self/oom_score_adj") or 0),
    )
    return _machine


def _version(release: str) -> tuple[int, int]:
    major, _, rest = release.partition(".")
    minor = rest.partition(".")[0].partition("-")[0]
    return (int(major) if major.isdigit() else 0, int(minor) if minor.isdigit() else 0)


def _text(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            return (file.read(64 << 10) or b"").decode("latin-1")
    except OSError:
        return ""


def _fields(path: str) -> dict[str, str]:
    lines = (line.partition(":") for line in _text(path).splitlines())
    return {key: value.strip() for key, _, value in lines}


def _hard_limits() -> Iterator[tuple[str, int]]:
    """The third column of /proc/self/limits, whose first is 26 wide and has spaces in it."""
    for line in _text("/proc/self/limits").splitlines():
        name = _LIMITS.get(line[:26].strip())
        values = line[26:].split()
        if name and len(values) > 1:
            yield name, -1 if values[1] == "unlimited" else int(values[1])


def _thermal_throttle() -> list[str]:
    base = "/sys/devices/system/cpu"
    numbered = (name for name in os.listdir(base) if name[:3] == "cpu" and name[3:].isdigit())
    paths = (f"{base}/{name}/thermal_throttle" for name in numbered)
    return sorted(path for path in paths if os.path.exists(path))


def _joined(core: Core, host: t.HostConfig, dry: bool) -> dict[str, str]:
    """The namespaces of other containers that it is to live in."""
    found = {}
    for kind, file, key in _JOINABLE:
        mode = str(host.get(key) or "")
        if mode.startswith("container:"):
            pid = "self" if dry else _running_pid(core, mode.partition(":")[2], kind)
            found[kind] = f"/proc/{pid}/ns/{file}"
    return found


def _running_pid(core: Core, ref: str, kind: str) -> int:
    other = refresh(core, core.containers.find(ref))
    if other is None or other.state not in LIVE:
        raise Conflict(f"cannot join the {kind} namespace of container {ref}: it is not running")
    if kind == "ipc" and core.document(other)["HostConfig"]["IpcMode"] in ("private", "none"):
        raise Conflict(
            f"cannot join the ipc namespace of container {ref}: non-shareable IPC "
            "(hint: use --ipc shareable for the donor container)"
        )
    return other.pid


def _devices(path: str) -> list[Device]:
    """What is at a path of ``--device``: one node, or all in a directory."""
    try:
        if os.path.isdir(path):
            return list(_walk(path))
        device = _node(path, os.stat(path))
    except OSError as error:
        reason = f'error gathering device information while adding custom device "{path}"'
        raise InvalidParameter(f"{reason}: {(error.strerror or '').lower()}") from None
    return [device] if device else []


def _walk(path: str) -> Iterator[Device]:
    """The nodes below a directory, but not what is mounted in /dev or made anew."""
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.path in ("/dev/pts", "/dev/shm", "/dev/fd", "/dev/mqueue", "/dev/console"):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            else:
                node = _node(entry.path, entry.stat(follow_symlinks=False))
                if node:
                    yield node


def _node(path: str, found: os.stat_result) -> Device | None:
    kind = "c" if stat.S_ISCHR(found.st_mode) else "b" if stat.S_ISBLK(found.st_mode) else ""
    if not kind:
        return None
    return {
        "type": kind,
        "path": path,
        "major": os.major(found.st_rdev),
        "minor": os.minor(found.st_rdev),
        "fileMode": found.st_mode,
        "uid": found.st_uid,
        "gid": found.st_gid,
    }


def _block_devices(host: t.HostConfig) -> Iterator[tuple[str, tuple[int, int]]]:
    for key in _BLKIO_DEVICE_KEYS:
        for item in host.get(key) or ():  # type: ignore[attr-defined]
            path = item["Path"]
            try:
                found = os.stat(path)
            except OSError as error:
                raise InvalidParameter(f"invalid {key}: {path}: {(error.strerror or '').lower()}") from None
            yield path, (os.major(found.st_rdev), os.minor(found.st_rdev))
