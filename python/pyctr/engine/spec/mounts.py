"""``mounts`` of config.json: what every container has, the three files of /etc, and what was asked for."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from pyctr.engine.spec.facts import HostFacts
    from pyctr.engine.spec.points import Point
    from pyctr.engine.types import HostConfig

    Mounts = list[dict[str, Any]]

SHM_BYTES = 64 << 20
_QUIET = ["nosuid", "noexec", "nodev"]
_TMPFS_CHOICES = """
    exec/noexec suid/nosuid dev/nodev rw/ro async/sync dirsync mand/nomand atime/noatime diratime/nodiratime
    relatime/norelatime strictatime/nostrictatime bind/rbind
"""
_TMPFS_FLAGS = {word: choice for choice in _TMPFS_CHOICES.split() for word in choice.split("/")}
"""Words for a tmpfs, each with the name of the choice it is about: the last one of a choice counts."""
_TMPFS_VALUES = ("size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol")


def mounts(host: HostConfig, facts: HostFacts, own: Collection[str], *, writable_cgroups: bool) -> Mounts:
    """Return all mounts in the order they are made; ``own``: the types of the container's own namespaces."""
    asked = {point["Destination"] for point in facts.points}
    found = [
        mount
        for mount in _system(host, facts, own, writable_cgroups)
        # Who brings a /dev brings all of it.
        if mount["destination"] not in asked
        and not ("/dev" in asked and mount["destination"].startswith("/dev/"))
    ]
    files = [mount for mount in _network_files(host, facts) if mount["destination"] not in asked]
    # A volume for /etc comes before the files in it.
    return found + sorted(
        [*files, *map(_point, facts.points)], key=lambda mount: mount["destination"].count("/")
    )


def rootfs_propagation(facts: HostFacts) -> str:
    """``linux.rootfsPropagation``: what mounts that are to share with the host need; else empty."""
    wanted = {point.get("Propagation", "").removeprefix("r") for point in facts.points}
    return "shared" if "shared" in wanted else "rslave" if "slave" in wanted else ""


def _system(host: HostConfig, facts: HostFacts, own: Collection[str], writable_cgroups: bool) -> Mounts:
    privileged, user = bool(host.get("Privileged")), "user" in own
    read_only = [] if privileged else ["ro"]
    dev = ["nosuid", "strictatime", "mode=755", "size=65536k"]
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
    # With user and cgroup namespaces of its own, a container's groups are its own to divide.
    cgroup = [] if privileged or writable_cgroups or (user and "cgroup" in own) else ["ro"]
    found = [
        # In a user namespace procfs and sysfs belong to namespaces of the host: the kernel wants them bound.
        _bound("/proc", []) if user and "pid" not in own else _fresh("/proc", "proc", _QUIET),
        _fresh("/dev", "tmpfs", dev),
        _fresh("/dev/pts", "devpts", pts),
        _bound("/sys", read_only)
        if user and "network" not in own
        else _fresh("/sys", "sysfs", _QUIET + read_only),
        _fresh("/sys/fs/cgroup", "cgroup", _QUIET + cgroup),
        _bound("/dev/mqueue", []) if user and "ipc" not in own else _fresh("/dev/mqueue", "mqueue", _QUIET),
    ]
    return found + _shm(host, facts)


def _fresh(path: str, kind: str, options: list[str]) -> dict[str, Any]:
    return {"destination": path, "type": kind, "source": kind, "options": options}


def _bound(path: str, options: list[str], source: str = "") -> dict[str, Any]:
    return {
        "destination": path,
        "type": "bind",
        "source": source or path,
        "options": ["rbind", *_QUIET, *options],
    }


def _shm(host: HostConfig, facts: HostFacts) -> Mounts:
    mode = host.get("IpcMode") or "private"
    if mode == "none":
        return []
    if mode == "host" or (mode.startswith("container:") and facts.shm_source):
        return [_bound("/dev/shm", [], facts.shm_source)]
    size = host.get("ShmSize") or SHM_BYTES
    if size < 0:
        raise InvalidParameter("SHM size can not be less than 0")
    shm = _fresh("/dev/shm", "tmpfs", [*_QUIET, "mode=1777", f"size={size}"])
    shm["source"] = "shm"
    return [shm]


def _network_files(host: HostConfig, facts: HostFacts) -> Mounts:
    files = {
        "/etc/resolv.conf": facts.resolv_conf_path,
        "/etc/hostname": facts.hostname_path,
        "/etc/hosts": facts.hosts_path,
    }
    options = ["rbind", "rprivate", "ro" if host.get("ReadonlyRootfs") else "rw"]
    return [
        {"destination": path, "type": "bind", "source": source, "options": options}
        for path, source in files.items()
        if source
    ]


def _point(point: Point) -> dict[str, Any]:
    if point["Type"] == "tmpfs":
        return _fresh(
            point["Destination"], "tmpfs", tmpfs_options(point.get("Options") or [], rw=point["RW"])
        )
    if not point["Source"]:
        raise InvalidParameter(
            f"volume {point.get('Name', '')} for {point['Destination']} has no source directory"
        )
    options = ["bind" if point.get("NonRecursive") else "rbind", point.get("Propagation") or "rprivate"]
    if not point["RW"]:
        options.append("ro" if point.get("ReadOnlyNonRecursive") or point.get("NonRecursive") else "rro")
    if point.get("Subpath"):
        # Looked up inside the volume when it is mounted: by then a container may have put a link there.
        options.append(f"X-mount.subdir={point['Subpath']}")
    return {
        "destination": point["Destination"],
        "type": "bind",
        "source": point["Source"],
        "options": options,
    }


def tmpfs_options(wanted: list[str], *, rw: bool = True) -> list[str]:
    """Return the options of a tmpfs: docker's defaults, and of words that contradict each other the last."""
    chosen: dict[str, str] = {}
    for word in [*_QUIET, *wanted, *([] if rw else ["ro"])]:
        key, equals, _ = word.partition("=")
        if equals and key in _TMPFS_VALUES:
            chosen[key] = word
        elif word in _TMPFS_FLAGS:
            chosen[_TMPFS_FLAGS[word]] = word
        elif word.removeprefix("r") in ("private", "shared", "slave", "unbindable"):
            chosen["propagation"] = word
        else:
            raise InvalidParameter(f'invalid tmpfs option "{word}"')
    return list(chosen.values())
