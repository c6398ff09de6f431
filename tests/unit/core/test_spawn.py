"""Starting programs that are nobody's children, without fork."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from pyctr import _core


def output(script: str) -> str:
    """What a shell writes to its descriptor 7."""
    read, write = os.pipe()
    try:
        _core.spawn_shim("/bin/sh", ["-c", script], [(write, 7)])
    finally:
        os.close(write)
    with os.fdopen(read) as pipe:
        return pipe.read()


def test_runs_in_its_own_session_without_our_environment() -> None:
    text = output(
        "read -r pid _ _ _ _ session _ </proc/self/stat; echo $((pid == session)) $(pwd) [$HOME] >&7"
    )
    assert text == "1 / []\n"


def test_is_not_our_child() -> None:
    assert output("read -r _ _ _ parent _ </proc/self/stat; echo $parent >&7").strip() != str(os.getpid())
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_gets_only_the_named_descriptors() -> None:
    fd = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(fd, True)
    try:
        assert output("cd /proc/self/fd && echo * >&7") == "0 1 2 3 7\n"
    finally:
        os.close(fd)


def test_our_handlers_and_masks_are_not_inherited() -> None:
    look = "case $key in SigBlk:|SigIgn:) echo $value >&7;; esac"
    script = f"while read -r key value; do {look}; done </proc/self/status"
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        assert output(script) == "0000000000000000\n0000000000000000\n"
        assert signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGUSR1, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@pytest.mark.parametrize(("binary", "code"), [("/no/such/file", errno.ENOENT), ("/etc/passwd", errno.EACCES)])
def test_says_why_not(binary: str, code: int) -> None:
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        _core.spawn_shim(binary, [], [])
    assert (caught.value.errno, caught.value.filename) == (code, binary)


def test_a_closed_descriptor_is_an_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        _core.spawn_shim("/bin/true", [], [(1_000_000, 3)])


def test_nul_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="nul byte"):
        _core.spawn_shim("/bin/true", ["a\0b"], [])


def test_a_changed_program_is_noticed(tmp_path: Path) -> None:
    program = tmp_path / "program"
    for word in ("one", "two"):
        new = tmp_path / "new"
        new.write_text(f"#!/bin/sh\necho {word}\n")
        new.chmod(0o755)
        new.rename(program)
        # A script is found by its name, which a program without a path has not; the shell reads it instead.
        assert output(f". {program} >&7") == f"{word}\n"


@pytest.mark.root
def test_the_program_cannot_be_written_through_proc(tmp_path: Path) -> None:
    """Whoever keeps /proc/<pid>/exe open can try again when the program has ended and is not busy."""
    program = tmp_path / "sh"
    program.write_bytes(Path("/bin/sh").resolve().read_bytes())
    program.chmod(0o755)
    (read, theirs), (our_input, write) = os.pipe(), os.pipe()
    _core.spawn_shim(str(program), ["-c", "echo $$ >&7; read line <&8"], [(theirs, 7), (our_input, 8)])
    os.close(theirs)
    os.close(our_input)
    with os.fdopen(read) as pipe:
        exe = os.open(f"/proc/{int(pipe.readline())}/exe", os.O_PATH)
        os.close(write)
        assert pipe.read() == ""
    try:
        with pytest.raises(OSError, match="Read-only file system"):
            os.open(f"/proc/self/fd/{exe}", os.O_WRONLY)
    finally:
        os.close(exe)
