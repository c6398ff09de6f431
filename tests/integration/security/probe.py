"""Runs inside a container and prints, as JSON, what a program there is and may do.

Needs nothing but the standard library: it is handed to ``python3 -c`` as text.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import resource
import socket
import stat
from pathlib import Path
from typing import Any

# Numbers of x86-64. Arguments are zero but for those given.
DENIED = {
    "acct": 163, "add_key": 248, "bpf": 321, "clock_settime": 227, "delete_module": 176,
    "fanotify_init": 300, "finit_module": 313, "fsconfig": 431, "fsmount": 432, "fsopen": 430,
    "fspick": 433, "get_mempolicy": 239, "init_module": 175, "io_uring_enter": 426,
    "io_uring_register": 427, "io_uring_setup": 425, "ioperm": 173, "iopl": 172, "kcmp": 312,
    "kexec_file_load": 320, "kexec_load": 246, "keyctl": 250, "mbind": 237, "mount": 165,
    "mount_setattr": 442, "move_mount": 429, "move_pages": 279, "open_by_handle_at": 304,
    "open_tree": 428, "perf_event_open": 298, "pidfd_getfd": 438, "pivot_root": 155, "quotactl": 179,
    "reboot": 169, "request_key": 249, "set_mempolicy": 238, "setdomainname": 171, "sethostname": 170,
    "setns": 308, "settimeofday": 164, "swapoff": 168, "swapon": 167, "syslog": 103, "umount2": 166,
    "userfaultfd": 323, "vhangup": 153,
}  # fmt: skip
SPECIAL = {
    "unshare_user": (272, 0x10000000),
    "unshare_mount": (272, 0x20000),
    "clone_user": (56, 0x10000000 | 17),
    "clone3": (435,),
    "personality_no_randomize": (135, 0x0040000),
    "personality_query": (135, 0xFFFFFFFF),
    "socket_alg": (41, 38, 5),
    "socket_vsock": (41, 40, 1),
    "socket_unix": (41, 1, 1),
    "beyond_the_newest": (600,),
    "x32_getpid": (0x40000000 | 39,),
}
libc = ctypes.CDLL(None, use_errno=True)


def call(number: int, *arguments: int) -> int:
    """Return the error number of a system call made in a child, 0 if it succeeds, -1 if it kills."""
    pid = os.fork()
    if pid == 0:
        ctypes.set_errno(0)
        padded = [ctypes.c_long(value) for value in (*arguments, *[0] * (6 - len(arguments)))]
        result = libc.syscall(ctypes.c_long(number), *padded)
        os._exit(ctypes.get_errno() if result < 0 else 0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else -1


def attempt(act: Any) -> str:
    """Return the name of the error an act ends with, or ``ok``."""
    try:
        act()
    except OSError as problem:
        return errno.errorcode[problem.errno or 0]
    return "ok"


def write(path: str, text: str = "1") -> str:
    return attempt(lambda: Path(path).write_text(text))


def status() -> dict[str, str]:
    lines = Path("/proc/self/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def mounts() -> dict[str, dict[str, Any]]:
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), after.split()[:3]
        found[fields[4]] = {"kind": kind, "flags": fields[5].split(","), "options": options.split(",")}
    return found


def devices() -> dict[str, str]:
    found = {}
    for entry in os.scandir("/dev"):
        info = entry.stat(follow_symlinks=False)
        number = f" {os.major(info.st_rdev)}:{os.minor(info.st_rdev)}" if info.st_rdev else ""
        found[entry.name] = f"{stat.filemode(info.st_mode)}{number}"
    return found


def node(kind: int, major: int, minor: int) -> list[str]:
    """Make a device and open it."""
    path = f"/tmp/node-{major}-{minor}"
    made = attempt(lambda: os.mknod(path, kind | 0o600, os.makedev(major, minor)))
    return [made, attempt(lambda: os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK)))]


def descriptors() -> dict[str, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # the one for the listing itself
            continue
    return found


def abstract_sockets() -> list[str]:
    return [line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if " @" in line]


def report() -> dict[str, Any]:
    hierarchies = [str(path) for path in Path("/sys/fs/cgroup").glob("*/cgroup.procs")]
    return {
        "status": status(),
        "descriptors": descriptors(),
        "mounts": mounts(),
        "devices": devices(),
        "calls": {name: errno.errorcode.get(call(number), "ok") for name, number in DENIED.items()},
        "special": {name: call(*arguments) for name, arguments in SPECIAL.items()},
        "nodes": {
            "null": node(stat.S_IFCHR, 1, 3),
            "sda": node(stat.S_IFBLK, 8, 0),
            "vda": node(stat.S_IFBLK, 254, 0),
            "kmsg": node(stat.S_IFCHR, 1, 11),
            "mem": node(stat.S_IFCHR, 1, 1),
            "fuse": node(stat.S_IFCHR, 10, 229),
        },
        "writes": {
            path: write(path)
            for path in (
                "/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger",
                "/proc/irq/default_smp_affinity", "/sys/kernel/uevent_helper", "/sys/power/state",
                "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/memory/notify_on_release",
                "/sys/fs/cgroup/devices/devices.allow", "/sys/fs/cgroup/unified/cgroup.procs",
                *hierarchies,
            )
            if os.path.exists(path)
        },
        "masked": {
            path: len(os.listdir(path)) if os.path.isdir(path) else len(Path(path).read_bytes())
            for path in (
                "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list",
                "/proc/timer_stats", "/sys/firmware", "/sys/devices/virtual/powercap",
            )
            if os.path.exists(path)
        },
        "sysctls": {
            path: Path(path).read_text().split()
            for path in (
                "/proc/sys/net/ipv4/ping_group_range",
                "/proc/sys/net/ipv4/ip_unprivileged_port_start",
            )
        },
        "limits": {
            name: list(resource.getrlimit(getattr(resource, name)))
            for name in dir(resource)
            if name.startswith("RLIMIT_")
        },
        "oom_score_adj": int(Path("/proc/self/oom_score_adj").read_text()),
        "session": Path("/proc/self/sessionid").read_text() if os.path.exists("/proc/self/sessionid") else "",
        "hostname": socket.gethostname(),
        "environment": dict(os.environ),
        "namespaces": {name: os.readlink(f"/proc/self/ns/{name}") for name in os.listdir("/proc/self/ns")},
        "cgroup": Path("/proc/self/cgroup").read_text().splitlines(),
        "abstract": abstract_sockets(),
        "nice": os.nice(0),
        "scheduler": os.sched_getscheduler(0),
        "executable": os.readlink("/proc/1/exe"),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(report()))
