"""The calls of 32-bit programs, which have other numbers: the filter must mean the same for them."""

from __future__ import annotations

import errno
import json
import platform

import pytest

import pyctr
from tests.integration.security.conftest import PYTHON

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the gate of i386 is x86-64's"),
]

DENIED = {
    "mount": 21, "umount2": 52, "sethostname": 74, "reboot": 88, "swapon": 87, "syslog": 103, "iopl": 110,
    "ioperm": 101, "init_module": 128, "quotactl": 131, "pivot_root": 217, "settimeofday": 79, "acct": 51,
    "vm86": 166, "clock_settime": 264, "kexec_load": 283, "add_key": 286, "request_key": 287, "keyctl": 288,
    "unshare": 310, "perf_event_open": 336, "open_by_handle_at": 342, "setns": 346, "bpf": 357,
    "userfaultfd": 374, "clock_settime64": 404, "io_uring_setup": 425, "open_tree": 428, "move_mount": 429,
    "fsopen": 430,
}  # fmt: skip
SPECIAL = {
    "getpid": ([20], 0),
    "clone3": ([435], errno.ENOSYS),
    "beyond_the_newest": ([600], errno.ENOSYS),
    "clone_user": ([120, 0x10000011], errno.EPERM),
    "socket_unix": ([359, 1, 1], 0),
    "socket_alg": ([359, 38, 5], errno.EPERM),
    "socket_vsock": ([359, 40, 1], errno.EPERM),
    "personality_no_randomize": ([136, 0x0040000], errno.EPERM),
}
# A function (number, a, b, c) that enters the kernel by int 0x80: eax, ebx, ecx, edx from edi, esi, edx, ecx.
PROGRAM = """
import ctypes, json, mmap, os, sys
code = bytes.fromhex("5389f889f34189c889d14489c2cd8048985bc3")
page = mmap.mmap(-1, 4096, prot=7)
page.write(code)
kind = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_int] * 4)
call = kind(ctypes.addressof(ctypes.c_char.from_buffer(page)))

def attempt(number, *arguments):
    pid = os.fork()
    if pid == 0:
        result = call(number, *arguments, *[0] * (3 - len(arguments)))
        os._exit(0 if result >= 0 else -result)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

print(json.dumps({name: attempt(*numbers) for name, numbers in json.loads(sys.argv[1]).items()}))
"""


def test_the_filter_holds_for_32_bit_calls(engine: pyctr.Engine) -> None:
    calls = {name: [number] for name, number in DENIED.items()}
    calls |= {name: numbers for name, (numbers, _) in SPECIAL.items()}
    result = engine.run("host", [PYTHON, "-c", PROGRAM, json.dumps(calls)])
    found = json.loads(result.stdout)
    if found["getpid"] == -11:
        pytest.skip("this kernel has no 32-bit calls")
    for name, (_, expected) in SPECIAL.items():
        assert found.pop(name) == expected, name
    assert set(found) == set(DENIED)
    assert set(found.values()) == {errno.EPERM}, found
