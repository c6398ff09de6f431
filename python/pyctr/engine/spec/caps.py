"""Capabilities: names and numbers, the default set, and ``--cap-add``, ``--cap-drop``, ``--privileged``."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyctr.engine.types import HostConfig

_NAMES = """
    CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID
    CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW
    CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT
    CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD
    CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG
    CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE
"""
NAMES = tuple(_NAMES.split())
"""All capabilities; the place of a name is its number in linux/capability.h."""

NUMBERS = {name: number for number, name in enumerate(NAMES)}

DEFAULT = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
)
"""Docker's fourteen."""

ALL = "ALL"


def granted(host: HostConfig, bounding: int) -> tuple[list[str], list[str]]:
    """Return the capabilities of a container, at most those in ``bounding``, and warnings.

    As with docker, adding ALL beats dropping ALL, and single names count after either.
    """
    add = normalized(host.get("CapAdd") or (), "CapAdd")
    drop = normalized(host.get("CapDrop") or (), "CapDrop")
    wanted: Sequence[str]
    if host.get("Privileged"):
        wanted = NAMES
    elif ALL in add:
        wanted = [name for name in NAMES if name not in drop]
    elif ALL in drop:
        wanted = add
    else:
        wanted = [name for name in DEFAULT if name not in drop]
        wanted += [name for name in add if name not in wanted]
    names = [name for name in wanted if bounding >> NUMBERS[name] & 1]
    lost = [name for name in add if name != ALL and name in wanted and name not in names]
    return names, [f"{name} cannot be added: pyctr does not have it itself" for name in lost]


def normalized(names: Iterable[str], key: str) -> list[str]:
    """Return full upper-case names in the order given, each once; ``ALL`` stays."""
    found: dict[str, None] = {}
    for name in names:
        full = name.upper()
        if full != ALL:
            full = full if full.startswith("CAP_") else f"CAP_{full}"
            if full not in NUMBERS:
                raise InvalidParameter(f'invalid {key}: unknown capability: "{full}"')
        found[full] = None
    return list(found)


def sets(names: list[str]) -> dict[str, list[str]]:
    """``process.capabilities``: inheritable and ambient stay empty (CVE-2022-29162)."""
    return {"bounding": names, "effective": names, "permitted": names}
