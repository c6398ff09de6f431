"""The default profile by meaning, and profiles of one's own in both formats."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyctr.engine.spec import HostFacts
from pyctr.engine.spec.caps import DEFAULT, NAMES
from pyctr.engine.spec.seccomp import resolved, seccomp
from pyctr.engine.spec.seccomp_default import PROFILE
from pyctr.errors import InvalidParameter

from .building import make

ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
DOCKER_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}
ELSEWHERE = {"riscv_hwprobe", "riscv_flush_icache", "swapcontext"}
"""Calls of machines that pyctr has no tables for."""

Answers = dict[str, object]


def machine(name: str, kernel: tuple[int, int] = (6, 1)) -> HostFacts:
    facts = HostFacts("x")
    facts.machine, facts.kernel = name, kernel
    return facts


def applies(rule: dict[str, Any], caps: set[str], name: str) -> bool:
    """Docker's conditions, read once more and differently, for kernels of this decade."""
    only, never = rule.get("includes", {}), rule.get("excludes", {})
    return (
        set(only.get("caps", [])) <= caps
        and name in only.get("arches", [name])
        and not set(never.get("caps", [])) & caps
        and name not in never.get("arches", [])
    )


def answers(rules: list[dict[str, Any]]) -> Answers:
    """What each call by name gets: one answer, or the set of conditions and answers."""
    found: dict[str, set[Any]] = {}
    for rule in rules:
        conditions = tuple(sorted(tuple(sorted(arg.items())) for arg in rule.get("args", [])))
        for name in rule["names"]:
            found.setdefault(name, set()).add((rule["action"], rule.get("errnoRet"), conditions))
    always = {name: [entry for entry in entries if not entry[2]] for name, entries in found.items()}
    return {name: always[name] or entries for name, entries in found.items() if name not in ELSEWHERE}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(caps=st.one_of(st.just(set(DEFAULT)), st.just(set(NAMES)), st.sets(st.sampled_from(NAMES))))
@pytest.mark.parametrize("name", ["x86_64", "aarch64"])
def test_the_default_profile_means_what_dockers_means(reference: Path, name: str, caps: set[str]) -> None:
    docker = json.loads((reference / "seccomp-default.json").read_text())
    ours = resolved(PROFILE, caps, machine(name))
    assert (ours["defaultAction"], ours["defaultErrnoRet"]) == (
        docker["defaultAction"],
        docker["defaultErrnoRet"],
    )
    wanted = [rule for rule in docker["syscalls"] if applies(rule, caps, DOCKER_NAMES[name])]
    assert answers(ours["syscalls"]) == answers(wanted)
    native = f"SCMP_ARCH_{name.upper()}"
    [entry] = [entry for entry in docker["archMap"] if entry["architecture"] == native]
    assert ours["architectures"] == [native, *entry["subArchitectures"]]


def test_the_comparison_would_notice_a_difference(reference: Path) -> None:
    docker = json.loads((reference / "seccomp-default.json").read_text())
    ours = resolved(PROFILE, DEFAULT, machine("x86_64"))["syscalls"]
    for change in ("mount", "socket"):
        changed = [*copy.deepcopy(ours), {"names": [change], "action": ALLOW}]
        wanted = [rule for rule in docker["syscalls"] if applies(rule, set(DEFAULT), "amd64")]
        assert answers(changed) != answers(wanted)


def test_the_profile_follows_capabilities() -> None:
    def allowed(**keys: Any) -> set[str]:
        rules = make(**keys)[0]["linux"]["seccomp"]["syscalls"]
        return {
            name for rule in rules if rule["action"] == ALLOW and "args" not in rule for name in rule["names"]
        }

    assert "mount" not in allowed()
    assert "mount" in allowed(CapAdd=["SYS_ADMIN"])
    assert "chroot" in allowed()
    assert "chroot" not in allowed(CapDrop=["ALL"])


def test_when_there_is_no_profile() -> None:
    assert "seccomp" not in make(SecurityOpt=["seccomp=unconfined"])[0]["linux"]
    assert "seccomp" not in make(Privileged=True)[0]["linux"]
    assert "seccomp" in make(Privileged=True, SecurityOpt=["seccomp=builtin"])[0]["linux"]


def custom(document: Any, caps: tuple[str, ...] = DEFAULT, **where: Any) -> Any:
    facts = machine(where.get("machine", "x86_64"), where.get("kernel", (6, 1)))
    return seccomp(json.dumps(document), caps, facts, privileged=False)


def test_an_oci_profile_passes_unchanged() -> None:
    args = [{"index": 0, "value": 1, "valueTwo": 0, "op": "SCMP_CMP_EQ"}]
    profile = {
        "defaultAction": ALLOW,
        "defaultErrnoRet": 5,
        "architectures": ["SCMP_ARCH_X86_64"],
        "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "listenerPath": "/run/x",
        "listenerMetadata": "m",
        "syscalls": [{"names": ["mkdir"], "action": ERRNO, "errnoRet": 0, "args": args}],
    }
    assert custom(profile) == profile


def test_conditions_are_resolved() -> None:
    def names(rule: dict[str, Any], **where: Any) -> bool:
        profile = {"defaultAction": ERRNO, "syscalls": [{"names": ["mkdir"], "action": ALLOW, **rule}]}
        return bool(custom(profile, **where)["syscalls"])

    assert names({"includes": {"caps": ["CAP_CHOWN", "CAP_KILL"]}})
    assert not names({"includes": {"caps": ["CAP_CHOWN", "CAP_SYS_ADMIN"]}})
    assert not names({"excludes": {"caps": ["CAP_SYS_ADMIN", "CAP_CHOWN"]}})
    assert names({"includes": {"arches": ["arm64"]}}, machine="aarch64")
    assert not names({"includes": {"arches": ["arm64"]}})
    assert not names({"excludes": {"arches": ["amd64"]}})
    assert names({"includes": {"minKernel": "5.9"}}, kernel=(5, 14))
    assert not names({"includes": {"minKernel": "5.19"}}, kernel=(5, 14))
    assert not names({"excludes": {"minKernel": "5.9"}}, kernel=(5, 14))


def test_the_old_form_with_one_name_is_read() -> None:
    profile = {"defaultAction": ERRNO, "syscalls": [{"name": "mkdir", "action": ALLOW, "args": []}]}
    assert custom(profile)["syscalls"] == [{"names": ["mkdir"], "action": ALLOW}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "decoding seccomp profile failed"),
        ("[]", "not the shape"),
        ("[" * 100_000, "decoding seccomp profile failed"),
        ("{}", "not an action"),
        ('{"defaultAction": "MOON"}', '"MOON" of the default action is not an action'),
        ('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"]}]}', "of a is not an action"),
        (
            '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [1], "action": "SCMP_ACT_LOG"}]}',
            "shape",
        ),
        ('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG"}]}', "shape"),
        (
            '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "names": ["b"]}]}',
            "either 'name' or",
        ),
        (
            '{"defaultAction": "SCMP_ACT_ALLOW", "archMap": [{"architecture": "x"}], "architectures": ["x"]}',
            "both",
        ),
    ],
)
def test_bad_profiles_are_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        make(SecurityOpt=[f"seccomp={text}"])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(ALLOW),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["defaultAction", "syscalls", "names", "action", "includes", "caps", "minKernel", "archMap"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_any_json_is_resolved_or_refused(document: Any) -> None:
    if isinstance(document, dict):
        document.setdefault("defaultAction", ALLOW)
    try:
        profile = custom(document)
    except InvalidParameter:
        return
    assert profile["defaultAction"] == ALLOW or profile["defaultAction"] == document["defaultAction"]
