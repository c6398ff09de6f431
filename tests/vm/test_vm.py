"""The test machine as a test, so that one command runs everything."""

from __future__ import annotations

import pytest

from tests.vm import machine, suite


@pytest.mark.vm
@pytest.mark.root
@pytest.mark.timeout(300)
def test_everything_holds_on_cgroup_version_2(capfd: pytest.CaptureFixture[str]) -> None:
    if lacking := machine.missing():
        pytest.skip(lacking)
    status = machine.run(suite.command(), cwd=suite.ROOT)
    output = capfd.readouterr().out
    assert status == 0, output
    assert "run on cgroup v2, 0 failed" in output
    assert " passed" in output
