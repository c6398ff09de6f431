"""The copy loop between our streams and a container's, in a process of its own with pipes and terminals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.cli.terminal import DetachKeys, RawMode, detach_sequence

PROGRAM = [sys.executable, str(Path(__file__).with_name("supervisor.py"))]


def run(typed: bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
    settings = {"tty": False, "stdin": True, **options}
    return subprocess.run(
        [*PROGRAM, json.dumps(settings)], input=typed, capture_output=True, check=False, timeout=60
    )


def test_streams_stay_apart_and_the_exit_code_comes_through() -> None:
    done = run(b"say one\nerr two\nsay three\nexit 42\n")
    assert done.stdout == b"one\nthree\n"
    assert done.stderr == b"ready\ntwo\nended\n"
    assert done.returncode == 42


def test_streams_that_are_not_attached_are_silent() -> None:
    done = run(b"say one\nerr two\nexit 0\n", stdout=False)
    assert done.stdout == b""
    assert b"two" in done.stderr
    done = run(b"say one\nerr two\nexit 0\n", stderr=False)
    assert done.stdout == b"one\n"
    assert b"two" not in done.stderr


def test_every_byte_arrives_and_the_end_of_input_too() -> None:
    data = os.urandom(3 << 20)
    done = run(b"echo\n" + data)
    assert done.stdout == data
    assert done.returncode == 7


def test_the_end_of_input_is_passed_on() -> None:
    assert run(b"say x\n").returncode == 9


def test_a_closed_standard_input_is_its_end() -> None:
    command = f"exec {PROGRAM[0]} {PROGRAM[1]} '{json.dumps({'tty': False, 'stdin': True})}' <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=60)
    assert done.returncode == 9


def test_a_reader_that_leaves_ends_us() -> None:
    settings = json.dumps({"tty": False, "stdin": True})
    process = subprocess.Popen(
        [*PROGRAM, settings], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.write(b"flood 100000\n")
    process.stdin.close()
    stderr = process.stderr.read()
    assert process.wait(60) == 1
    assert b"BrokenPipeError" in stderr  # main() turns it into a quiet end


def test_signals_go_to_the_container() -> None:
    settings = json.dumps({"tty": False, "stdin": False})
    process = subprocess.Popen([*PROGRAM, settings], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stderr
    assert process.stderr.readline() == b"ready\n"
    for number in (signal.SIGUSR1, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        process.send_signal(number)
        assert process.stdout.readline() == b"signal %d\n" % number
    assert process.wait(60) == 143
    process.stdout.close()
    process.stderr.close()


def test_signals_do_not_wait_for_a_slow_reader() -> None:
    settings = json.dumps({"tty": False, "stdin": True})
    pipe = subprocess.PIPE
    process = subprocess.Popen([*PROGRAM, settings], stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    assert process.stderr.readline() == b"ready\n"
    process.stdin.write(b"fill 200000\n")
    process.stdin.flush()
    assert process.stdout.read(1) == b"x"  # the rest fills the pipe, and more
    process.send_signal(signal.SIGTERM)
    assert process.stderr.readline() == b"got 15\n"
    assert process.stdout.read() == b"x" * 199_999 + b"signal 15\n"
    assert process.wait(60) == 143
    process.stdin.close()
    process.stderr.close()


def test_without_a_proxy_an_interrupt_is_ours() -> None:
    settings = json.dumps({"tty": False, "stdin": False, "sig_proxy": False})
    process = subprocess.Popen([*PROGRAM, settings], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr
    assert process.stderr.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in stderr


class Terminal:
    """A program on a pseudo terminal, and the person at it."""

    def __init__(self, process: subprocess.Popen[bytes], fd: int) -> None:
        self.process = process
        self.fd = fd
        self.seen = b""

    def type(self, data: bytes) -> None:
        os.write(self.fd, data)

    def expect(self, text: bytes) -> None:
        deadline = time.monotonic() + 60
        while text not in self.seen:
            ready, _, _ = select.select([self.fd], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"{text!r} did not come, only {self.seen!r}"
            self.seen += os.read(self.fd, 65536)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextmanager
def terminal(**options: Any) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
    settings = json.dumps({"tty": True, "stdin": True, **options})
    process = subprocess.Popen(
        [*PROGRAM, settings], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    try:
        before = termios.tcgetattr(theirs)
        yield Terminal(process, ours)
        assert termios.tcgetattr(theirs) == before
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_a_terminal_is_raw_while_it_lasts_and_its_size_is_told() -> None:
    with terminal() as screen:
        screen.expect(b"size 30 90\r\n")
        screen.type(b"say hello\r")
        screen.expect(b"hello\n")
        assert b"say hello" not in screen.seen  # nobody but the container echoes
        screen.resize(40, 120)
        screen.process.send_signal(signal.SIGWINCH)
        screen.expect(b"size 40 120\r\n")
        screen.type(b"exit 3\r")
        screen.expect(b"ended")
        assert screen.process.wait(60) == 3


def test_the_interrupt_key_is_a_key_like_any_other() -> None:
    with terminal() as screen:
        screen.expect(b"size")
        screen.type(b"echo\r")
        screen.type(b"a\x03b\x1ac")
        screen.expect(b"a\x03b\x1ac")
        screen.type(b"\x10\x11")
        screen.expect(b"detached")
        assert screen.process.wait(60) == 100


@pytest.mark.parametrize(("keys", "typed"), [("", b"\x10\x11"), ("ctrl-a,x", b"\x01x"), ("q", b"q")])
def test_detach_keys(keys: str, typed: bytes) -> None:
    with terminal(detach_keys=keys) as screen:
        screen.expect(b"size")
        screen.type(b"echo\r")
        screen.type(b"before")
        screen.expect(b"before")
        screen.type(typed)
        screen.expect(b"detached")
        assert screen.process.wait(60) == 100


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("ctrl-p,ctrl-q", b"\x10\x11"),
        ("a", b"a"),
        ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", b"\0\x1b\x1c\x1d\x1e\x1f"),
    ],
)
def test_names_of_keys(text: str, keys: bytes) -> None:
    assert detach_sequence(text) == keys


@pytest.mark.parametrize("text", ["ctrl-", "ctrl-A", "ab", "ctrl-p,", "é", "ctrl-é"])
def test_names_of_no_keys(text: str) -> None:
    with pytest.raises(ValueError, match="Unknown character"):
        detach_sequence(text)


@given(st.lists(st.binary(max_size=6)), st.binary(min_size=1, max_size=4))
def test_keys_are_only_kept_back_while_they_may_become_the_sequence(
    chunks: list[bytes], sequence: bytes
) -> None:
    keys, passed, typed = DetachKeys(sequence), b"", b""
    for chunk in chunks:
        out, detached = keys.feed(chunk)
        passed, typed = passed + out, typed + chunk
        if detached:
            assert sequence in typed
            assert typed.startswith(passed)
            return
        assert passed + keys.held == typed
        assert sequence.startswith(keys.held)


def test_raw_mode_leaves_what_is_no_terminal_alone() -> None:
    with Path(os.devnull).open("rb") as file, RawMode(file.fileno()) as mode:
        assert mode.saved is None
