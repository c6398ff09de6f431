"""stats: what a container uses, in docker's documents."""

from __future__ import annotations

import os
import time

from pyctr import _core
from pyctr.engine import cgroups
from pyctr.engine.clock import NEVER, rfc3339
from pyctr.engine.state import LIVE
from pyctr.errors import PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

INTERVAL_SECONDS = 1.0
_BLKIO = {
    "io_service_bytes_recursive": "ioServiceBytesRecursive",
    "io_serviced_recursive": "ioServicedRecursive",
    "io_queue_recursive": "ioQueueRecursive",
    "io_service_time_recursive": "ioServiceTimeRecursive",
    "io_wait_time_recursive": "ioWaitTimeRecursive",
    "io_merged_recursive": "ioMergedRecursive",
    "io_time_recursive": "ioTimeRecursive",
    "sectors_recursive": "sectorsRecursive",
}


def stats(core: Core, ref: str, *, stream: bool = True, one_shot: bool = False) -> Iterator[t.Json]:
    """``GET /containers/{id}/stats``. Of a container that does not run: one empty document."""
    row = core.container(ref)
    if row.state not in LIVE:
        return iter([_empty(row)])
    return _samples(core, row, stream=stream, one_shot=one_shot)


def _samples(core: Core, row: Row, *, stream: bool, one_shot: bool) -> Iterator[t.Json]:
    lock = core.paths.shim_lock(row.id)
    before = None
    while True:
        sample = _sample(core, row, before)
        if sample is None:
            return
        if stream or one_shot or before is not None:
            yield sample
        if one_shot or (before is not None and not stream):
            return
        before = sample
        if _core.wait_lock(lock, INTERVAL_SECONDS):
            return


def _sample(core: Core, row: Row, before: t.Json | None) -> t.Json | None:
    """One document; None when the container has just ended."""
    try:
        usage = cgroups.stats(core, row)
    except (PyctrError, OSError):
        return None
    now = rfc3339(time.time_ns())
    return {
        **_empty(row),
        "read": now,
        "preread": before["read"] if before else NEVER,
        "pids_stats": {key: value for key, value in usage["pids"].items() if value},
        "blkio_stats": {ours: usage["blkio"].get(theirs) or None for ours, theirs in _BLKIO.items()},
        "cpu_stats": _cpu(usage["cpu"]),
        "precpu_stats": before["cpu_stats"] if before else _no_cpu(),
        "memory_stats": memory(usage["memory"], _memory_total()),
    }


def _empty(row: Row) -> t.Json:
    return {
        "name": "/" + row.name,
        "id": row.id,
        "read": NEVER,
        "preread": NEVER,
        "pids_stats": {},
        "blkio_stats": dict.fromkeys(_BLKIO),
        "num_procs": 0,
        "storage_stats": {},
        "cpu_stats": _no_cpu(),
        "precpu_stats": _no_cpu(),
        "memory_stats": {},
    }


def _no_cpu() -> t.Json:
    throttling = {"periods": 0, "throttled_periods": 0, "throttled_time": 0}
    usage = {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0}
    return {"cpu_usage": usage, "throttling_data": throttling}


def _cpu(found: t.Json) -> t.Json:
    usage, throttling = found["usage"], found["throttling"]
    system, online = host_cpu(_text("/proc/stat"))
    times = {
        "total_usage": usage["total"],
        "usage_in_kernelmode": usage["kernel"],
        "usage_in_usermode": usage["user"],
    }
    if usage.get("percpu"):
        times["percpu_usage"] = usage["percpu"]
    return {
        "cpu_usage": times,
        "system_cpu_usage": system,
        "online_cpus": online,
        "throttling_data": {
            "periods": throttling["periods"],
            "throttled_periods": throttling["throttledPeriods"],
            "throttled_time": throttling["throttledTime"],
        },
    }


def host_cpu(stat: str) -> tuple[int, int]:
    """All time of all processors in nanoseconds, and how many there are, from /proc/stat."""
    lines = stat.splitlines()
    ticks = sum(int(field) for field in lines[0].split()[1:8]) if lines else 0
    online = sum(1 for line in lines if line.startswith("cpu") and line[3:4].isdigit())
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK"), online


def memory(found: t.Json, total: int) -> t.Json:
    """Docker's memory_stats; a container without a limit has the machine's memory."""
    usage = found["usage"]
    shown = {"usage": usage["usage"], "stats": found["raw"], "limit": min(usage["limit"] or total, total)}
    if usage.get("max"):
        shown["max_usage"] = usage["max"]
    if usage.get("failcnt"):
        shown["failcnt"] = usage["failcnt"]
    return shown


def _memory_total() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0


def _text(path: str) -> str:
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()
