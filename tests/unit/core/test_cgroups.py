"""The cgroup functions of ``_core`` for groups that are not there, without root. The rest is integration."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pyctr import _core

NOBODY = "/pyctr-test-nobody/x"


def test_info_describes_the_machine() -> None:
    info = json.loads(_core.cgroup_info())
    assert info["version"] in (1, 2)
    assert info["layout"] in ("v1", "hybrid", "v2")
    assert (info["version"] == 2) == (info["layout"] == "v2")
    assert info["controllers"] == sorted(set(info["controllers"]))
    assert isinstance(info["swap"], bool)


@pytest.mark.parametrize(
    "ask",
    [
        _core.cgroup_stats,
        _core.cgroup_freeze,
        _core.cgroup_thaw,
        _core.cgroup_frozen,
        _core.cgroup_pids,
        _core.cgroup_oom_kills,
        lambda path: _core.cgroup_update(path, b"{}"),
    ],
)
def test_a_missing_group_is_a_missing_file(ask: Callable[[str], object]) -> None:
    with pytest.raises(FileNotFoundError, match=f"no such cgroup: {NOBODY}"):
        ask(NOBODY)


def test_ending_a_missing_group_is_harmless() -> None:
    _core.cgroup_kill(NOBODY)
    _core.cgroup_remove(NOBODY)


@pytest.mark.parametrize("path", ["", "/", "/a/../b", "a\0b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="cgroup path"):
        _core.cgroup_remove(path)


def test_what_are_no_resources_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot read the resources"):
        _core.cgroup_update(NOBODY, b'{"memory": {"limit": "much"}}')
