"""A person at a real terminal: job control, interrupts, leaving and coming back, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.reliability.host import times
from tests.integration.test_cli.test_terminal import screen

if TYPE_CHECKING:
    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


TICKS = "sh -c 'while echo tick; do sleep 0.1; done'\r"


def test_job_control(host: Host) -> None:
    with screen(host.pyctr, "run", "--rm", "-it", "--net=none", "busybox", "sh") as it:
        it.expect("# ")
        it.type(TICKS)
        it.expect("tick\r\n")
        it.type("\x1a")
        it.expect("Stopped")
        it.expect("# ")
        it.type("bg\r")
        it.expect("tick\r\n")
        it.type("kill %1; wait; echo gone $((1 + 1))\r")
        it.expect("gone 2\r\n")
        it.type(TICKS)
        it.expect("tick\r\n")
        it.type("\x1a")
        it.expect("Stopped")
        it.expect("# ")
        it.type("fg\r")
        it.expect("tick\r\n")
        it.type("\x03")
        it.expect("# ")
        it.type("echo code $?\r")
        it.expect("code 130\r\n")
        it.type("exit 8\r")
        assert it.process.wait(60) == 8


def test_leaving_and_coming_back(host: Host) -> None:
    with screen(host.pyctr, "run", "-it", "--name", "box", "--net=none", "busybox", "sh") as it:
        it.expect("# ")
        it.type("\x10\x11")
        assert it.process.wait(60) == 0
    for turn in range(times(2, 20)):
        with screen(host.pyctr, "attach", "box") as it:
            it.type(f"echo turn-$(({turn}+1000))\r")
            it.expect(f"turn-{turn + 1000}\r\n")
            it.resize(20 + turn, 60 + turn)
            it.type("sleep 0.1; stty size\r")
            it.expect(f"{20 + turn} {60 + turn}\r\n")
            it.type("\x10\x11")
            it.expect("read escape sequence")
            assert it.process.wait(60) == 0
    assert list(host.clean().values()) == ["running"]


def test_two_at_one_terminal(host: Host) -> None:
    with screen(host.pyctr, "run", "-it", "--name", "box", "--net=none", "busybox", "sh") as one:
        one.expect("# ")
        with screen(host.pyctr, "attach", "box") as other:
            other.type("echo $((40+2))\r")
            other.expect("42\r\n")
            one.expect("42\r\n")
            one.type("exit 5\r")
            assert other.process.wait(60) == 5
        assert one.process.wait(60) == 5
