"""``--security-opt``, and the parts of /proc and /sys that containers do not see or may not change."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyctr.engine.spec.facts import HostFacts
    from pyctr.engine.types import HostConfig

MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/selinux",
)
READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

_BOOLEANS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False, "": True}
_LABEL_PARTS = ("user", "role", "type", "level")


class Options:
    """What ``HostConfig.SecurityOpt`` says."""

    __slots__ = ("apparmor", "labels", "no_new_privileges", "seccomp", "system_paths", "writable_cgroups")

    def __init__(self) -> None:
        self.seccomp = ""
        """Empty, ``builtin``, ``unconfined``, or the text of a profile."""
        self.apparmor = ""
        self.labels: list[str] = []
        self.no_new_privileges = False
        self.system_paths = False
        """Nothing is masked or read-only."""
        self.writable_cgroups = False


def options(given: Sequence[str]) -> Options:
    """Read security options; ``key:value`` is the older way to write ``key=value``."""
    found = Options()
    for number, option in enumerate(given, start=1):
        key, separator, value = option.partition("=")
        if not separator:
            key, separator, value = option.partition(":")
        if not separator and key not in ("no-new-privileges", "writable-cgroups"):
            raise InvalidParameter(f'invalid --security-opt {number}: "{option}"')
        _set(found, key, value, number, option)
    return found


def _set(found: Options, key: str, value: str, number: int, option: str) -> None:
    match key:
        case "seccomp":
            found.seccomp = value
        case "apparmor":
            found.apparmor = value
        case "label":
            found.labels.append(value)
        case "no-new-privileges":
            found.no_new_privileges = _boolean(value, option)
        case "writable-cgroups":
            found.writable_cgroups = _boolean(value, option)
        case "systempaths" if value == "unconfined":
            found.system_paths = True
        case _:
            raise InvalidParameter(f'invalid --security-opt {number}: "{option}"')


def _boolean(value: str, option: str) -> bool:
    if value.lower() not in _BOOLEANS:
        raise InvalidParameter(f'invalid --security-opt: "{option}"')
    return _BOOLEANS[value.lower()]


def paths(host: HostConfig, chosen: Options, facts: HostFacts) -> tuple[list[str], list[str]]:
    """Return ``linux.maskedPaths`` and ``linux.readonlyPaths``; an empty list in HostConfig means none."""
    if host.get("Privileged") or chosen.system_paths:
        return [], []
    masked, read_only = host.get("MaskedPaths"), host.get("ReadonlyPaths")
    for path in (*(masked or ()), *(read_only or ())):
        if not path.startswith("/") or ".." in path.split("/"):
            raise InvalidParameter(f"invalid masked or read-only path: {path} is not absolute")
    return (
        [*MASKED, *facts.thermal_throttle] if masked is None else list(masked),
        list(READ_ONLY) if read_only is None else list(read_only),
    )


def apparmor(host: HostConfig, chosen: Options, facts: HostFacts, warnings: list[str]) -> str:
    """``process.apparmorProfile``; empty where AppArmor is off."""
    if not facts.apparmor_profile:
        if chosen.apparmor not in ("", "unconfined"):
            warnings.append(
                f"AppArmor is not enabled in this kernel: the profile {chosen.apparmor} is discarded"
            )
        return ""
    if chosen.apparmor:
        return chosen.apparmor
    return "unconfined" if host.get("Privileged") else facts.apparmor_profile


def selinux(host: HostConfig, chosen: Options, facts: HostFacts) -> tuple[str, str]:
    """``process.selinuxLabel`` and ``linux.mountLabel``; empty where SELinux is off, here or on the host."""
    label = facts.selinux_label
    if not label or host.get("Privileged") or "disable" in chosen.labels:
        return "", ""
    # user:role:type:level, and a level has colons of its own.
    parts = (label.split(":", 3) + [""] * 4)[:4]
    for option in chosen.labels:
        key, _, value = option.partition(":")
        if key not in (*_LABEL_PARTS, "filetype") or not value:
            raise InvalidParameter(
                f"bad label option {option}, valid options: 'disable' or "
                "'user', 'role', 'level', 'type', 'filetype' followed by ':' and a value"
            )
        if key in _LABEL_PARTS:
            parts[_LABEL_PARTS.index(key)] = value
    return ":".join(part for part in parts if part), _mount_label(chosen, facts, parts[3])


def _mount_label(chosen: Options, facts: HostFacts, level: str) -> str:
    parts = (facts.mount_label.split(":", 3) + [""] * 4)[:4]
    if not facts.mount_label:
        return ""
    file_types = [option.partition(":")[2] for option in chosen.labels if option.startswith("filetype:")]
    parts[2] = file_types[-1] if file_types else parts[2]
    parts[3] = level
    return ":".join(part for part in parts if part)
