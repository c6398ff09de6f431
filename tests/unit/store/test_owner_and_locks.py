from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from pyctr.store import owner
from pyctr.store.locks import DirLock


def test_we_live_and_a_dead_child_does_not() -> None:
    assert owner.alive(owner.me())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        claim = f"{child.pid}:{owner.start_time(child.pid)}"
        assert owner.alive(claim)
        child.kill()
        while owner.start_time(child.pid):  # not yet a zombie
            time.sleep(0.001)
        assert not owner.alive(claim)


def test_a_reused_pid_is_not_mistaken() -> None:
    pid, _, start = owner.me().partition(":")
    assert not owner.alive(f"{pid}:{int(start) + 1}")
    assert not owner.alive("nonsense")
    assert not owner.alive("")


def test_a_fork_is_somebody_else() -> None:
    mine = owner.me()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if owner.me() != mine and owner.alive(mine) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with DirLock(str(tmp_path)) as lock:
            assert lock.held
            order.append("second")

    with DirLock(str(tmp_path)):
        thread = threading.Thread(target=second)
        thread.start()
        started.wait()
        with DirLock(str(tmp_path), wait=False) as impatient:
            assert not impatient.held
            assert not impatient.missing
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_what_is_gone_cannot_be_held(tmp_path: Path) -> None:
    with DirLock(str(tmp_path / "gone")) as lock:
        assert lock.missing
        assert not lock.held
