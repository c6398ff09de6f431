"""Who is at work on something: a process, by pid and start time, so that no reused pid is mistaken for it."""

from __future__ import annotations

import os

_me: tuple[int, str] = (0, "")
_boot = ""


def me() -> str:
    """Name this process as it is written into a claim."""
    global _me  # noqa: PLW0603 - reading it costs a file of /proc
    pid = os.getpid()
    if _me[0] != pid:
        _me = (pid, f"{pid}:{start_time(pid)}")
    return _me[1]


def alive(owner: str) -> bool:
    """Whether the process that wrote the claim still lives."""
    pid, _, start = owner.partition(":")
    try:
        return start_time(int(pid)) == int(start)
    except ValueError:
        return False


def start_time(pid: int) -> int:
    """When the process started, in clock ticks after boot; 0 for a zombie or none."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        text = os.read(fd, 4096)
    except OSError:
        return 0
    finally:
        os.close(fd)
    # The second field is the program's name in parentheses and may hold anything; count from behind it.
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return 0
    return int(fields[19])


def boot_id() -> str:
    """What tells this boot of the machine from any other."""
    global _boot  # noqa: PLW0603 - it cannot change
    if not _boot:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            _boot = file.read().strip().decode()
    return _boot
