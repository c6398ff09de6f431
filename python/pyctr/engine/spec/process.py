"""``process`` of config.json: what runs, its environment, rights and limits."""

from __future__ import annotations

from pyctr.engine.spec.caps import NUMBERS, sets
from pyctr.errors import InvalidParameter, StartFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pyctr.engine.spec.facts import HostFacts
    from pyctr.engine.types import ContainerConfig, HostConfig, Ulimit

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UMASK = 0o022
INFINITY = (1 << 64) - 1

LIMITS = {
    "RLIMIT_AS": (INFINITY, INFINITY),
    "RLIMIT_CORE": (INFINITY, INFINITY),
    "RLIMIT_CPU": (INFINITY, INFINITY),
    "RLIMIT_DATA": (INFINITY, INFINITY),
    "RLIMIT_FSIZE": (INFINITY, INFINITY),
    "RLIMIT_LOCKS": (INFINITY, INFINITY),
    "RLIMIT_MEMLOCK": (8 << 20, 8 << 20),
    "RLIMIT_MSGQUEUE": (819_200, 819_200),
    "RLIMIT_NICE": (0, 0),
    "RLIMIT_NOFILE": (1024, 524_288),
    "RLIMIT_NPROC": (INFINITY, INFINITY),
    "RLIMIT_RSS": (INFINITY, INFINITY),
    "RLIMIT_RTPRIO": (0, 0),
    "RLIMIT_RTTIME": (INFINITY, INFINITY),
    "RLIMIT_STACK": (8 << 20, INFINITY),
}
"""Soft and hard limits of a container, as a service manager gives them: whoever starts it must not matter."""
_KINDS = frozenset((*LIMITS, "RLIMIT_SIGPENDING"))


def process(config: ContainerConfig, host: HostConfig, capabilities: list[str]) -> dict[str, Any]:
    """Return what needs no facts; `build` adds limits and labels."""
    found: dict[str, Any] = {
        "terminal": bool(config.get("Tty")),
        "user": {"uid": 0, "gid": 0, "umask": UMASK},
        "args": arguments(config),
        "env": environment(config),
        "cwd": config.get("WorkingDir") or "/",
        "capabilities": sets(capabilities),
    }
    # Its first group is among the further ones too, or it could give away what is forbidden to that group
    # (CVE-2022-36109). That of a user asked for by name is in the container's files: the runtime sees to it.
    first = [] if config.get("User") else [0]
    gids = dict.fromkeys([*first, *(int(group) for group in host.get("GroupAdd") or () if is_gid(group))])
    if gids:
        found["user"]["additionalGids"] = list(gids)
    size = host.get("ConsoleSize") or (0, 0)
    if found["terminal"] and any(size):
        found["consoleSize"] = {"height": size[0], "width": size[1]}
    return found


def arguments(config: ContainerConfig) -> list[str]:
    """Entrypoint and command as one; the engine has merged both with the image's already."""
    found = [*_words(config.get("Entrypoint")), *_words(config.get("Cmd"))]
    if not found:
        raise InvalidParameter("no command specified")
    if not found[0]:
        raise StartFailure('exec: "": executable file not found in $PATH', exit_code=127)
    return found


def _words(value: Sequence[str] | str | None) -> Sequence[str]:
    return [value] if isinstance(value, str) else value or ()


def environment(config: ContainerConfig) -> list[str]:
    """Return docker's defaults and the entries given, which win; one without ``=`` unsets a default."""
    wanted = config.get("Env") or ()
    set_or_unset = {entry.partition("=")[0] for entry in wanted}
    defaults = [PATH, f"HOSTNAME={config.get('Hostname') or ''}"]
    if config.get("Tty"):
        defaults.append("TERM=xterm")
    kept = [entry for entry in defaults if entry.partition("=")[0] not in set_or_unset]
    return kept + [entry for entry in wanted if "=" in entry[1:]]


def is_gid(group: str) -> bool:
    """Digits are a number, never a name; a number too large for a gid is an error."""
    if not (group.isascii() and group.isdigit()):
        return False
    if int(group) >= 1 << 31:
        raise InvalidParameter(f"invalid group {group}: uids and gids must be in range 0-2147483647")
    return True


def named_groups(host: HostConfig) -> list[str]:
    """Return the groups that the container's own /etc/group must tell: ``groups`` of shim.json."""
    return [group for group in host.get("GroupAdd") or () if not is_gid(group)]


def rlimits(host: HostConfig, facts: HostFacts) -> tuple[list[dict[str, Any]], list[str]]:
    """Return all limits, none above what this process may set, and a warning where that matters."""
    found, warnings = dict(LIMITS), []
    asked = {}
    for ulimit in host.get("Ulimits") or ():
        kind, soft, hard = _ulimit(ulimit)
        found[kind] = asked[kind] = (soft, hard)
    may_raise = facts.effective >> NUMBERS["CAP_SYS_RESOURCE"] & 1
    for kind, (soft, hard) in found.items() if not may_raise else ():
        own = _unsigned(facts.hard_limits.get(kind, -1))
        found[kind] = (min(soft, own), min(hard, own))
        if kind in asked and hard > own:
            name = kind.removeprefix("RLIMIT_").lower()
            warnings.append(f"ulimit {name} is lowered to {own}: pyctr may not set more itself")
    return [{"type": kind, "soft": soft, "hard": hard} for kind, (soft, hard) in found.items()], warnings


def _ulimit(ulimit: Ulimit) -> tuple[str, int, int]:
    kind = f"RLIMIT_{ulimit['Name'].upper()}"
    if kind not in _KINDS:
        raise InvalidParameter(f"invalid ulimit type: {ulimit['Name']}")
    soft, hard = _unsigned(ulimit["Soft"]), _unsigned(ulimit["Hard"])
    if soft > hard:
        raise InvalidParameter(
            f"ulimit soft limit must be less than or equal to hard limit: {ulimit['Soft']} > {ulimit['Hard']}"
        )
    return kind, soft, hard


def _unsigned(limit: int) -> int:
    if not -1 <= limit <= INFINITY:
        raise InvalidParameter(f"invalid ulimit value: {limit}")
    return INFINITY if limit == -1 else limit


def oom_score_adj(host: HostConfig, facts: HostFacts) -> tuple[int, list[str]]:
    """Return the score, set even when 0 so that this process's own is not inherited."""
    wanted = host.get("OomScoreAdj") or 0
    if not -1000 <= wanted <= 1000:
        raise InvalidParameter(f"invalid value {wanted}, range for oom score adj is [-1000, 1000]")
    # The kernel lets everybody go down to where it once was set with the capability: 0 unless it was less.
    lowest = min(facts.oom_score_adj, 0)
    if wanted >= lowest or facts.effective >> NUMBERS["CAP_SYS_RESOURCE"] & 1:
        return wanted, []
    return lowest, [f"oom score adj {wanted} is raised to {lowest}: pyctr may not set less itself"]
