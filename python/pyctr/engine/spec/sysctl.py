"""Kernel parameters of a container: the defaults, and ``--sysctl`` where a namespace contains it."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from pyctr.engine.types import HostConfig

_IPC = frozenset(
    f"kernel.{name}"
    for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)


def sysctls(host: HostConfig, own: Collection[str]) -> dict[str, str]:
    """``linux.sysctl``; ``own`` holds the types of namespaces that are the container's own."""
    found: dict[str, str] = {}
    if "network" in own:
        found["net.ipv4.ip_unprivileged_port_start"] = "0"
        if "user" not in own:
            found["net.ipv4.ping_group_range"] = "0 2147483647"
    for key, value in (host.get("Sysctls") or {}).items():
        name = dotted(key)
        namespace = _namespace(name)
        if namespace is None:
            raise InvalidParameter(f"sysctl '{key}' is not allowed")
        if namespace not in own:
            raise InvalidParameter(f"sysctl '{key}' is not allowed without a private {namespace} namespace")
        found[name] = str(value)
    return found


def dotted(name: str) -> str:
    """Return a parameter's name with dots between its parts, whichever form of sysctl(8) it has."""
    dot, slash = name.find("."), name.find("/")
    if slash >= 0 and (dot < 0 or slash < dot):
        return name.translate({ord("."): "/", ord("/"): "."})
    return name


def _namespace(name: str) -> str | None:
    """Return the type of namespace that has its own value of a parameter."""
    parts = name.split(".")
    # A part may hold a slash for a dot in an interface's name, but must not climb.
    if "" in parts or ".." in name.translate({ord("."): "/", ord("/"): "."}).split("/"):
        return None
    if name in _IPC or name.startswith("fs.mqueue."):
        return "ipc"
    if name == "kernel.domainname":
        return "uts"
    return {"net": "network", "user": "user"}.get(parts[0]) if len(parts) > 1 else None
