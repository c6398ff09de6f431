"""What is removed vanishes in one step, into a trash on the same file system, and is unlinked after that."""

from __future__ import annotations

import _thread
import os

from pyctr.store import files


class Sweeper:
    """Empties trash. In a process that lives on a thread does, so that nobody waits for the disk.

    Unlinking may take long: a container's files may be many, and a file system without a journal waits for
    each block that it discards. What an early death leaves is swept by a later command.
    """

    __slots__ = ("_idle", "_lasting", "_lock", "_pending", "_process", "_running")

    def __init__(self, *, lasting: bool = False) -> None:
        self._lasting = lasting
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._pending: list[str] = []
        self._running = False
        self._lock = _thread.allocate_lock()
        self._idle = _thread.allocate_lock()

    def remove(self, path: str, trash: str) -> list[OSError]:
        """Remove a tree by way of the directory ``trash``. Harmless when it is gone.

        Gives what could not be removed, as far as that is known by now: a process that lives on gives the
        disk back after the next ``start``.
        """
        try:
            target = files.discard(path, trash)
        except OSError:
            # Where there is no room for its new name.
            return files.remove_tree(path)
        if target is None:
            return []
        if not self._lasting:
            return files.remove_tree(target)
        self._notice_fork()
        with self._lock:
            self._pending.append(target)
        return []

    def start(self) -> None:
        """Sweep what was removed, from now on and elsewhere: the last that is done about something."""
        self._notice_fork()
        with self._lock:
            if self._running or not self._pending:
                return
            self._running = True
            self._idle.acquire()
        try:
            _thread.start_new_thread(self._sweep, ())
        except RuntimeError:  # no thread to be had
            self._sweep()

    def wait(self) -> None:
        """Sweep, and wait until all is gone."""
        self.start()
        self._idle.acquire()
        self._idle.release()

    def _notice_fork(self) -> None:
        """In a child of fork(2) the thread is missing, and what it has to sweep is the parent's."""
        if self._process != os.getpid():
            self._begin()

    def _sweep(self) -> None:
        while True:
            with self._lock:
                if not self._pending:
                    self._running = False
                    self._idle.release()
                    return
                target = self._pending.pop()
            # What cannot be removed stays in the trash, for the next command.
            files.remove_tree(target)
