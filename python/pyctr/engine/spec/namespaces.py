"""``linux.namespaces``: new ones, those of other containers, and those shared with the host."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.spec.facts import HostFacts
    from pyctr.engine.types import HostConfig

    Namespaces = list[dict[str, str]]

_KINDS = (
    # OCI type, key of HostConfig, what docker calls it, words for a namespace of its own.
    ("network", "NetworkMode", "network", ("none", "private", "default", "bridge")),
    ("ipc", "IpcMode", "IPC", ("private", "shareable", "none")),
    ("pid", "PidMode", "PID", ("private",)),
    ("uts", "UTSMode", "UTS", ("private",)),
)


def namespaces(host: HostConfig, facts: HostFacts) -> Namespaces:
    """Return the namespaces that are not the host's."""
    found: Namespaces = [{"type": "mount"}]
    for kind, key, name, private in _KINDS:
        mode = host.get(key) or ""
        if not isinstance(mode, str):
            raise InvalidParameter(f"invalid {name} mode: {mode}")
        if mode == "host":
            continue
        found.append(_own_or_joined(kind, name, mode, facts, private))
    if _own_cgroup(host, facts):
        found.append({"type": "cgroup"})
    if facts.time_namespace:
        found.append({"type": "time"})
    if _own_user(host, facts):
        found.append({"type": "user"})
    return found


def own(found: Namespaces) -> frozenset[str]:
    """Return the types of the namespaces that are new for this container."""
    return frozenset(namespace["type"] for namespace in found if "path" not in namespace)


def _own_or_joined(
    kind: str, name: str, mode: str, facts: HostFacts, private: tuple[str, ...]
) -> dict[str, str]:
    path = facts.joined.get(kind)
    if mode.startswith("container:") and kind != "uts":
        if path is None:
            raise InvalidParameter(
                f"cannot join the {name} namespace of {mode.partition(':')[2]}: it is not running"
            )
        return {"type": kind, "path": path}
    if path is not None:
        return {"type": kind, "path": path}
    if mode and mode not in private:
        raise InvalidParameter(f"invalid {name} mode: {mode}")
    return {"type": kind}


def _own_cgroup(host: HostConfig, facts: HostFacts) -> bool:
    mode = host.get("CgroupnsMode") or ("private" if facts.cgroup_version == 2 else "host")
    if mode not in ("private", "host"):
        raise InvalidParameter(f"invalid cgroup namespace mode: {mode}")
    return mode == "private"


def _own_user(host: HostConfig, facts: HostFacts) -> bool:
    mode = host.get("UsernsMode") or ""
    if mode not in ("", "host") and not facts.uid_mappings:
        raise InvalidParameter(f"invalid user namespace mode: {mode}")
    return mode != "host" and bool(facts.uid_mappings)
