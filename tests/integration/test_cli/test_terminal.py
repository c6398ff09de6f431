"""``-it`` on real containers: job control, size, detaching, attaching again."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.test_cli.conftest import Pyctr

pytestmark = pytest.mark.root


class Screen:
    """The command line on a pseudo terminal, and the person at it."""

    def __init__(self, process: subprocess.Popen[bytes], fd: int) -> None:
        self.process = process
        self.fd = fd
        self.seen = b""

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def expect(self, text: str) -> None:
        """Wait for text and forget what came before its end."""
        deadline = time.monotonic() + 60
        while text.encode() not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{text!r} did not come, only {self.seen!r}"
            self.seen += os.read(self.fd, 65536)
        self.seen = self.seen.partition(text.encode())[2]

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)  # the kernel does, where this is our session's terminal


@contextmanager
def screen(pyctr: Pyctr, *argv: str) -> Iterator[Screen]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))

    process = subprocess.Popen(
        pyctr.argv(*argv),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=pyctr.environ,
        start_new_session=True,
    )
    before = termios.tcgetattr(theirs)
    try:
        yield Screen(process, ours)
        assert termios.tcgetattr(theirs) == before
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_a_shell(pyctr: Pyctr) -> None:
    with screen(pyctr, "run", "--rm", "-it", "--net=none", "busybox", "sh") as it:
        it.expect("# ")
        it.type("tty; stty size\r")
        it.expect("/dev/pts/0\r\n")
        it.expect("30 90\r\n")
        it.resize(41, 123)
        it.type("stty size\r")
        it.expect("41 123\r\n")
        it.type("""sh -c 'trap "echo caught; exit" INT; echo going; while :; do sleep 0.05; done'\r""")
        it.expect("going\r\n")
        it.type("\x03")  # the interrupt key reaches the program, not us
        it.expect("caught\r\n")
        it.expect("# ")
        it.type("exit 9\r")
        assert it.process.wait(60) == 9


def test_detach_and_attach(pyctr: Pyctr) -> None:
    with screen(pyctr, "run", "-it", "--name", "box", "--net=none", "busybox", "sh") as it:
        it.expect("# ")
        it.type("x=kept\r")
        it.expect("# ")
        it.type("\x10\x11")
        it.expect("read escape sequence")
        assert it.process.wait(60) == 0
    assert pyctr.ok("ps", "-q") != ""
    with screen(pyctr, "attach", "--detach-keys", "ctrl-a,d", "box") as it:
        it.type("echo $x\r")
        it.expect("kept\r\n")
        it.type("\x01d")
        it.expect("read escape sequence")
        assert it.process.wait(60) == 0
    with screen(pyctr, "attach", "box") as it:
        it.type("exit 6\r")
        assert it.process.wait(60) == 6


def test_exec_on_a_terminal(pyctr: Pyctr) -> None:
    pyctr.ok("run", "-d", "--name", "box", "--net=none", "busybox", "sleep", "100")
    with screen(pyctr, "exec", "-it", "box", "sh") as it:
        it.expect("# ")
        it.type("stty size\r")
        it.expect("30 90\r\n")
        it.resize(20, 70)
        it.type("stty size\r")
        it.expect("20 70\r\n")
        it.type("exit 2\r")
        assert it.process.wait(60) == 2


def test_a_terminal_needs_one(pyctr: Pyctr) -> None:
    done = pyctr("run", "--rm", "-it", "--net=none", "busybox", "true")
    assert done.stderr.startswith(b"pyctr: the input device is not a TTY\n")
    assert pyctr.ok("ps", "-aq") == ""
    done = pyctr("run", "--rm", "-t", "--net=none", "busybox", "tty")
    assert done.stdout == b"/dev/pts/0\r\n"
