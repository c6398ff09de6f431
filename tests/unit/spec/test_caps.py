"""Capabilities: docker's rules, and never more than pyctr has itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.engine.spec.caps import ALL, DEFAULT, NAMES, NUMBERS, granted
from pyctr.errors import InvalidParameter

EVERYTHING = (1 << len(NAMES)) - 1


def mask(names: list[str]) -> int:
    return sum(1 << NUMBERS[name] for name in names)


def test_the_default_set_is_dockers() -> None:
    names, warnings = granted({}, EVERYTHING)
    assert mask(names) == 0xA80425FB
    assert warnings == []


def test_the_numbers_are_the_kernels() -> None:
    header = Path("/usr/include/linux/capability.h")
    if not header.exists():
        pytest.skip("no kernel headers on this machine")
    lines = [line.split() for line in header.read_text().splitlines() if line.startswith("#define CAP_")]
    defined = {words[1]: int(words[2]) for words in lines if len(words) == 3 and words[2].isdigit()}
    assert defined == NUMBERS


@pytest.mark.parametrize(
    ("add", "drop", "expected"),
    [
        ([], ["ALL"], []),
        (["NET_ADMIN"], ["all"], ["CAP_NET_ADMIN"]),
        (["ALL"], ["cap_sys_admin"], [name for name in NAMES if name != "CAP_SYS_ADMIN"]),
        (["ALL"], ["ALL"], list(NAMES)),
        (["net_admin"], ["CHOWN"], [*DEFAULT[1:], "CAP_NET_ADMIN"]),
        (["chown"], ["CHOWN"], [*DEFAULT[1:], "CAP_CHOWN"]),
    ],
)
def test_adding_and_dropping_as_docker_does(add: list[str], drop: list[str], expected: list[str]) -> None:
    assert granted({"CapAdd": add, "CapDrop": drop}, EVERYTHING)[0] == expected


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidParameter, match='invalid CapAdd: unknown capability: "CAP_MOON"'):
        granted({"CapAdd": ["moon"]}, EVERYTHING)
    with pytest.raises(InvalidParameter, match="invalid CapDrop"):
        granted({"CapDrop": ["CAP_ALL"]}, EVERYTHING)


def test_what_pyctr_lacks_is_not_granted_and_said() -> None:
    bounding = EVERYTHING & ~(1 << NUMBERS["CAP_SYS_RESOURCE"])
    names, warnings = granted({"CapAdd": ["SYS_RESOURCE"]}, bounding)
    assert names == list(DEFAULT)
    assert len(warnings) == 1
    assert "CAP_SYS_RESOURCE" in warnings[0]
    names, _ = granted({"Privileged": True}, bounding)
    assert mask(names) == bounding


@given(
    st.lists(st.sampled_from([ALL, *NAMES])),
    st.lists(st.sampled_from([ALL, *NAMES])),
    st.booleans(),
    st.integers(0, EVERYTHING),
)
def test_never_more_than_the_bounding_set(
    add: list[str], drop: list[str], privileged: bool, bounding: int
) -> None:
    names, _ = granted({"CapAdd": add, "CapDrop": drop, "Privileged": privileged}, bounding)
    assert mask(names) & ~bounding == 0
    assert len(set(names)) == len(names)
