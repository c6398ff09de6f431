"""Asking whether supervisors live, and waiting for their end."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from pyctr import _core

HOLDER = """
import fcntl, os, sys
lock = open(sys.argv[1], "r+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.truncate(0)
lock.write(f"{os.getpid()}\\n")
lock.flush()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "shim.lock"
    path.touch()
    return path


@pytest.fixture
def holder(lock: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_free_and_missing_locks_are_not_held(lock: Path) -> None:
    assert _core.locks_held([str(lock), str(lock.parent / "none"), str(lock / "none")]) == [
        False,
        False,
        False,
    ]
    assert _core.wait_lock(str(lock), 0)
    assert _core.wait_lock(str(lock.parent / "none"))


def test_held_while_the_holder_lives(lock: Path, holder: subprocess.Popen[bytes]) -> None:
    assert _core.locks_held([str(lock)]) == [True]
    assert not _core.wait_lock(str(lock), 0)
    assert not _core.wait_lock(str(lock), 0.05)
    holder.kill()
    assert _core.wait_lock(str(lock))
    assert _core.locks_held([str(lock)]) == [False]


def test_waiting_sees_a_lock_that_is_given_up_by_a_process_that_lives_on(lock: Path) -> None:
    with lock.open("r+") as file:
        file.write("2147483647\n")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        timer = threading.Timer(0.1, fcntl.flock, (file, fcntl.LOCK_UN))
        timer.start()
        assert _core.wait_lock(str(lock), 30)
        timer.join()


@pytest.mark.usefixtures("holder")
def test_waiting_can_be_interrupted(lock: Path) -> None:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(InterruptedError):
            _core.wait_lock(str(lock))
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("holder")
def test_waiting_lets_other_threads_run(lock: Path) -> None:
    ticks = []

    def tick() -> None:
        for _ in range(5):
            ticks.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    assert not _core.wait_lock(str(lock), 0.2)
    thread.join()
    assert len(ticks) == 5


def test_a_look_never_takes_the_lock_for_long(lock: Path) -> None:
    """Whoever looks may delay a supervisor that starts, but never for longer than a few tries."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            _core.locks_held([str(lock)])

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        with lock.open("r+") as file:
            tries = 0
            while True:
                tries += 1
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    time.sleep(0.001)
            assert tries < 250
    finally:
        stop.set()
        for thread in threads:
            thread.join()
