"""Terminals: sent to a console socket, or passed on to the caller's own."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.oci.runtime import Bundle, Runtime, until
from tests.terminals import read_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.root]


class Console:
    """A console socket, as an engine listens on it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.listener.settimeout(30)

    def receive(self) -> tuple[str, int]:
        """The message of the next connection, and the descriptor that comes with it."""
        with self.listener.accept()[0] as connection:
            message, descriptors, _, _ = socket.recv_fds(connection, 4096, 4)
        assert len(descriptors) == 1
        return message.decode(), descriptors[0]


@pytest.fixture
def console(oci: Runtime) -> Iterator[Console]:
    """A console socket of this test's own."""
    console = Console(oci.base / "console")
    yield console
    console.listener.close()


def set_size(master: int, rows: int, columns: int) -> None:
    """Resize a terminal."""
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def terminal(oci: Runtime, script: str) -> Bundle:
    """A bundle whose program has a terminal."""
    return oci.bundle("sh", "-c", script).set("process.terminal", True)


def test_create_sends_the_terminal(oci: Runtime, console: Console) -> None:
    """Master to the socket, slave to the program, as /dev/console too, of the size asked for."""
    bundle = terminal(
        oci, "tty; stty size; test -c /dev/console && echo console; read x; echo got $x; stty size"
    )
    bundle.set("process.consoleSize", {"height": 30, "width": 90})
    name = oci.name()
    oci("create", "--bundle", bundle.write(), "--console-socket", console.path, name)
    message, master = console.receive()
    assert message == "/dev/ptmx"
    oci("start", name)
    assert read_until(master, "console").split() == ["/dev/pts/0", "30", "90", "console"]
    set_size(master, 11, 44)
    os.write(master, b"words\n")
    assert "got words" in read_until(master, "11 44")
    oci.wait(name)
    os.close(master)


def test_run_detached_and_exec_send_the_terminal(oci: Runtime, console: Console) -> None:
    """Job control works: Ctrl-C reaches the foreground program of an exec."""
    name = oci.start(terminal(oci, "exec sleep 600"), "--console-socket", console.path)
    os.close(console.receive()[1])
    words = ("exec", "--detach", "--tty", "--console-socket", console.path, name)
    oci(
        *words,
        "sh",
        "-c",
        "trap 'echo interrupted; exit' INT; echo ready; while :; do sleep 0.1; done",
        capture_output=False,
    )
    master = console.receive()[1]
    read_until(master, "ready")
    os.write(master, b"\x03")
    read_until(master, "interrupted")
    os.close(master)


def test_pidfd_socket(oci: Runtime, console: Console) -> None:
    """A descriptor for the process, by which it can be waited for and signalled."""
    name = oci.start(oci.bundle("sleep", "600"), "--pidfd-socket", console.path)
    descriptors = [console.receive()[1]]
    words = ("exec", "--detach", "--pidfd-socket", console.path, "--pid-file", str(oci.base / "pid"), name)
    oci(*words, "sleep", "600", capture_output=False)
    descriptors.append(console.receive()[1])
    pids = [oci.inspect(name)["pid"], int((oci.base / "pid").read_text())]
    for descriptor, pid in zip(descriptors, pids, strict=True):
        assert f"Pid:\t{pid}\n" in Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    signal.pidfd_send_signal(descriptors[0], signal.SIGKILL)
    for descriptor in descriptors:
        assert select.select([descriptor], [], [], 30)[0]
        os.close(descriptor)
    line = oci.refuse(
        "run", "-d", "--pidfd-socket", "/nope", "--bundle", oci.bundle("true").write(), oci.name("other")
    )
    assert line.startswith("cannot connect to pidfd socket /nope")


def test_the_callers_own_terminal(oci: Runtime) -> None:
    """In the foreground it is raw, its size is passed on, and it is as before in the end."""
    bundle = terminal(
        oci, "stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.01; done"
    )
    master, slave = pty.openpty()
    set_size(master, 20, 70)
    before = termios.tcgetattr(slave)
    words = oci.command("run", "--bundle", bundle.write(), oci.name())
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as process:
        assert read_until(master, "ready").splitlines()[0] == "20 70"
        assert not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO)
        set_size(master, 21, 71)
        # There is no controlling terminal to do it.
        process.send_signal(signal.SIGWINCH)
        read_until(master, "21 71")
        assert process.wait(30) == 3
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_without_a_terminal_of_its_own(oci: Runtime) -> None:
    """The program still has one; a pipe gets its output and gives its input."""
    done = oci.call(
        "run", "--bundle", terminal(oci, "test -t 0 && read x && echo got $x").write(), oci.name(),
        stdin=None, input="words\n",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("got words\n")


def test_resources_are_given_back(oci: Runtime, console: Console) -> None:
    """A console socket without a terminal, or the other way round, is refused before anything is made."""
    bundle = terminal(oci, "true").write()
    for words, part in [
        (("run", "--detach"), "needs --console-socket"),
        (("run", "--console-socket", "/nope"), "cannot connect to console socket /nope"),
        (("create", "--console-socket", "/nope"), "cannot connect to console socket /nope"),
    ]:
        assert part in oci.refuse(*words, "--bundle", bundle, oci.name())
    words = ("create", "--console-socket", console.path)
    assert "process.terminal is not true" in oci.refuse(
        *words, "--bundle", oci.bundle("true").write(), oci.name()
    )
    until(lambda: oci.leftovers() == [], "nothing to be left")
