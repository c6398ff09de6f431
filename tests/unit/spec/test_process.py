"""What runs: arguments, environment, limits, scores."""

from __future__ import annotations

from typing import Any

import pytest

from pyctr.engine.spec.caps import ALL, NUMBERS
from pyctr.engine.spec.process import INFINITY, PATH
from pyctr.errors import InvalidParameter, StartFailure

from .building import make

WITHOUT_RESOURCE = ~(1 << NUMBERS["CAP_SYS_RESOURCE"])


def process(**keys: Any) -> dict[str, Any]:
    found: dict[str, Any] = make(**keys)[0]["process"]
    return found


def test_entrypoint_and_command_are_one() -> None:
    assert process(config={"Entrypoint": ["/e", "1"], "Cmd": ["c"]})["args"] == ["/e", "1", "c"]
    assert process(config={"Entrypoint": "/e", "Cmd": None})["args"] == ["/e"]
    with pytest.raises(InvalidParameter, match="no command specified"):
        process(config={"Cmd": []})
    with pytest.raises(StartFailure, match='exec: "": executable file not found in \\$PATH') as caught:
        process(config={"Cmd": [""]})
    assert caught.value.exit_code == 127


def test_the_environment_starts_with_defaults_that_can_be_replaced_or_taken_away() -> None:
    assert process()["env"] == [PATH, "HOSTNAME=box"]
    assert process(config={"Tty": True})["env"] == [PATH, "HOSTNAME=box", "TERM=xterm"]
    assert process(config={"Env": ["PATH=/bin", "A=b=c", "HOSTNAME", "=x"]})["env"] == ["PATH=/bin", "A=b=c"]


def test_a_terminal_has_a_size() -> None:
    found = process(config={"Tty": True}, ConsoleSize=[24, 80])
    assert found["consoleSize"] == {"height": 24, "width": 80}
    assert "consoleSize" not in process(ConsoleSize=[24, 80])
    assert "consoleSize" not in process(config={"Tty": True}, ConsoleSize=[0, 0])


def test_inheritable_and_ambient_capabilities_stay_empty() -> None:
    assert set(process(CapAdd=[ALL])["capabilities"]) == {"bounding", "effective", "permitted"}


def limits(found: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {limit["type"]: (limit["soft"], limit["hard"]) for limit in found}


def test_limits_are_explicit_so_that_none_is_inherited() -> None:
    found = limits(process()["rlimits"])
    assert found["RLIMIT_NOFILE"] == (1024, 524288)
    assert found["RLIMIT_CORE"] == (INFINITY, INFINITY)
    asked = limits(process(Ulimits=[{"Name": "nofile", "Soft": 5, "Hard": -1}])["rlimits"])
    assert asked["RLIMIT_NOFILE"] == (5, INFINITY)


def test_limits_are_lowered_to_what_pyctr_may_set() -> None:
    own = {"hard_limits": {"RLIMIT_NOFILE": 20000}, "effective": WITHOUT_RESOURCE}
    spec, warnings = make(**own)
    assert limits(spec["process"]["rlimits"])["RLIMIT_NOFILE"] == (1024, 20000)
    assert warnings == []
    spec, warnings = make(**own, Ulimits=[{"Name": "nofile", "Soft": 30000, "Hard": 40000}])
    assert limits(spec["process"]["rlimits"])["RLIMIT_NOFILE"] == (20000, 20000)
    assert len(warnings) == 1
    assert "nofile" in warnings[0]
    spec, warnings = make(
        hard_limits={"RLIMIT_NOFILE": 1}, Ulimits=[{"Name": "nofile", "Soft": 2, "Hard": 2}]
    )
    assert limits(spec["process"]["rlimits"])["RLIMIT_NOFILE"] == (2, 2)
    assert warnings == []


@pytest.mark.parametrize(
    ("ulimit", "reason"),
    [
        ({"Name": "moon", "Soft": 1, "Hard": 1}, "invalid ulimit type: moon"),
        ({"Name": "nofile", "Soft": 2, "Hard": 1}, "less than or equal to hard limit: 2 > 1"),
        ({"Name": "nofile", "Soft": -1, "Hard": 1}, "less than or equal"),
        ({"Name": "nofile", "Soft": -2, "Hard": 1}, "invalid ulimit value"),
    ],
)
def test_bad_limits_are_refused(ulimit: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        make(Ulimits=[ulimit])


def test_the_oom_score_is_never_inherited_nor_lower_than_allowed() -> None:
    assert process(oom_score_adj=-500)["oomScoreAdj"] == 0
    assert process(OomScoreAdj=-600)["oomScoreAdj"] == -600
    spec, warnings = make(OomScoreAdj=-600, oom_score_adj=-500, effective=WITHOUT_RESOURCE)
    assert spec["process"]["oomScoreAdj"] == -500
    assert len(warnings) == 1
    for score in (-1001, 1001):
        with pytest.raises(InvalidParameter, match="range for oom score adj"):
            make(OomScoreAdj=score)
