"""``linux.seccomp``: the default profile or one in docker's or OCI's format, resolved for one container."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from pyctr.engine.spec.facts import HostFacts

    Json = Mapping[str, Any]

_NATIVE = {
    "x86_64": ("amd64", "SCMP_ARCH_X86_64"),
    "aarch64": ("arm64", "SCMP_ARCH_AARCH64"),
}
"""Docker's name of a machine in conditions, and the architecture of its calls."""

_ACTIONS = frozenset(
    f"SCMP_ACT_{name}"
    for name in ("KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY")
)
_KEPT_DEFAULTS = 16
_defaults: dict[tuple[frozenset[str], str, tuple[int, int]], dict[str, Any]] = {}
_KEPT = ("defaultErrnoRet", "flags", "listenerPath", "listenerMetadata")


def seccomp(
    chosen: str, capabilities: Collection[str], facts: HostFacts, *, privileged: bool
) -> dict[str, Any] | None:
    """Return the profile in OCI form, or None for a container without one.

    ``chosen`` is empty, ``builtin``, ``unconfined``, or the text of a profile.
    """
    if chosen == "unconfined" or (privileged and not chosen):
        return None
    if chosen in ("", "builtin"):
        return _default(capabilities, facts)
    return resolved(_parsed(chosen), capabilities, facts)


def _default(capabilities: Collection[str], facts: HostFacts) -> dict[str, Any]:
    """The built-in profile, resolved. Half the work of a specification, so it is kept."""
    key = (frozenset(capabilities), facts.machine, facts.kernel)
    if key not in _defaults:
        from pyctr.engine.spec.seccomp_default import PROFILE

        if len(_defaults) >= _KEPT_DEFAULTS:
            _defaults.clear()
        _defaults[key] = resolved(PROFILE, capabilities, facts)
    return _defaults[key].copy()


def _parsed(text: str) -> Json:
    import json

    try:
        profile = json.loads(text)
    except ValueError as problem:
        raise InvalidParameter(f"decoding seccomp profile failed: {problem}") from None
    except RecursionError:
        raise InvalidParameter("decoding seccomp profile failed: nested too deeply") from None
    try:
        _check(profile)
    except (AttributeError, TypeError, KeyError, ValueError):
        raise InvalidParameter("decoding seccomp profile failed: not the shape of a profile") from None
    return profile  # type: ignore[no-any-return]


def _check(profile: Json) -> None:
    """Raise for what `resolved` could not read; the runtime checks the rest when it compiles the profile."""
    _action(profile.get("defaultAction"), "the default action")
    if profile.get("architectures") and profile.get("archMap"):
        raise InvalidParameter(
            "both 'architectures' and 'archMap' are specified in the seccomp profile, "
            "use either 'architectures' or 'archMap'"
        )
    for entry in profile.get("archMap") or ():
        _texts([entry["architecture"], *(entry.get("subArchitectures") or ())])
    for rule in profile.get("syscalls") or ():
        if rule.get("name") and rule.get("names"):
            raise InvalidParameter(
                "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'"
            )
        _texts(rule.get("names") or [rule["name"]])
        _action(rule.get("action"), ", ".join(rule.get("names") or [rule["name"]]))
        for condition in (rule.get("includes") or {}, rule.get("excludes") or {}):
            _texts([*(condition.get("caps") or ()), *(condition.get("arches") or ())])
            _version(condition.get("minKernel") or "0.0")


def _texts(values: Collection[object]) -> None:
    if not all(isinstance(value, str) for value in values):
        raise TypeError


def _action(action: object, of: str) -> None:
    if action not in _ACTIONS:
        raise InvalidParameter(f'invalid seccomp profile: "{action}" of {of} is not an action')


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def resolved(profile: Json, capabilities: Collection[str], facts: HostFacts) -> dict[str, Any]:
    """Return a profile in docker's format, or already OCI's, without its conditions."""
    name, _ = _NATIVE.get(facts.machine, (facts.machine, ""))
    found = {"defaultAction": profile["defaultAction"]}
    found.update((key, profile[key]) for key in _KEPT if profile.get(key) is not None)
    architectures = _architectures(profile, facts.machine)
    if architectures:
        found["architectures"] = architectures
    found["syscalls"] = [
        _plain(rule)
        for rule in profile.get("syscalls") or ()
        if _included(rule.get("includes") or {}, capabilities, name, facts.kernel)
        and not _excluded(rule.get("excludes") or {}, capabilities, name, facts.kernel)
    ]
    return found


def _architectures(profile: Json, machine: str) -> list[str]:
    _, native = _NATIVE.get(machine, ("", ""))
    for entry in profile.get("archMap") or ():
        if entry["architecture"] == native:
            return [native, *(entry.get("subArchitectures") or ())]
    return list(profile.get("architectures") or ())


def _included(only: Json, capabilities: Collection[str], machine: str, kernel: tuple[int, int]) -> bool:
    """Whether all of the conditions that there are hold."""
    return (
        (not only.get("arches") or machine in only["arches"])
        and all(name in capabilities for name in only.get("caps") or ())
        and (not only.get("minKernel") or kernel >= _version(only["minKernel"]))
    )


def _excluded(never: Json, capabilities: Collection[str], machine: str, kernel: tuple[int, int]) -> bool:
    """Whether any of the conditions holds."""
    return (
        machine in (never.get("arches") or ())
        or any(name in capabilities for name in never.get("caps") or ())
        or (bool(never.get("minKernel")) and kernel >= _version(never["minKernel"]))
    )


def _plain(rule: Json) -> dict[str, Any]:
    found = {"names": rule.get("names") or [rule["name"]], "action": rule["action"]}
    if rule.get("errnoRet") is not None:
        found["errnoRet"] = rule["errnoRet"]
    if rule.get("args"):
        found["args"] = rule["args"]
    return found
