"""Makes the numbers ``stats`` shows of docker's stats documents."""

from __future__ import annotations

from _operator import itemgetter

from pyctr.cli.output.units import bytes_size, human_size, short_id
from pyctr.cli.template import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


STATS_HEADERS = {
    "Container": "CONTAINER",
    "Name": "NAME",
    "ID": "CONTAINER ID",
    "CPUPerc": "CPU %",
    "MemUsage": "MEM USAGE / LIMIT",
    "MemPerc": "MEM %",
    "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O",
    "PIDs": "PIDS",
}
STATS_TABLE = (
    "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
)
_NOTHING = "--"
_CELLS = ("CPUPerc", "MemPerc", "NetIO", "BlockIO", "PIDs")
_FIELDS: dict[str, Callable[[Any], str]] = {name: itemgetter(name) for name in STATS_HEADERS}
_EMPTY = {**dict.fromkeys(_CELLS, _NOTHING), "MemUsage": "-- / --"}


def stats_record(container: str, stats: dict[str, Any] | None, *, truncate: bool) -> Record:
    """Return one line of ``stats``; None where nothing could be measured."""
    known = stats or {}
    full_id = known.get("id", "")
    cells = {
        **(_cells(known) if stats else _EMPTY),
        "Container": container,
        "Name": known.get("name", "")[1:] or _NOTHING,
        "ID": short_id(full_id) if truncate else full_id,
    }
    return Record(cells, _FIELDS, kind="*container.statsContext")


def _cells(stats: dict[str, Any]) -> dict[str, str]:
    memory = stats.get("memory_stats") or {}
    used, limit = memory_used(memory), memory.get("limit", 0)
    received, sent = _network(stats.get("networks") or {})
    read, written = _block_io(stats.get("blkio_stats") or {})
    return {
        "CPUPerc": f"{cpu_percent(stats):.2f}%",
        "MemUsage": f"{bytes_size(used)} / {bytes_size(limit)}",
        "MemPerc": f"{used / limit * 100 if limit else 0:.2f}%",
        "NetIO": f"{human_size(received, 3)} / {human_size(sent, 3)}",
        "BlockIO": f"{human_size(read, 3)} / {human_size(written, 3)}",
        "PIDs": str((stats.get("pids_stats") or {}).get("current", 0)),
    }


def cpu_percent(stats: dict[str, Any]) -> float:
    """Return the use of processors since the reading before, 100 being one processor."""
    now, before = stats.get("cpu_stats") or {}, stats.get("precpu_stats") or {}
    used = _total(now) - _total(before)
    passed = now.get("system_cpu_usage", 0) - before.get("system_cpu_usage", 0)
    processors = now.get("online_cpus") or len((now.get("cpu_usage") or {}).get("percpu_usage") or ())
    return used / passed * processors * 100.0 if passed > 0 and used > 0 else 0.0


def _total(cpu: dict[str, Any]) -> int:
    total: int = (cpu.get("cpu_usage") or {}).get("total_usage", 0)
    return total


def memory_used(memory: dict[str, Any]) -> int:
    """Return memory in use without the page cache the kernel could drop at once."""
    usage: int = memory.get("usage", 0)
    counters = memory.get("stats") or {}
    for key in ("total_inactive_file", "inactive_file"):
        if key in counters and counters[key] < usage:
            return usage - int(counters[key])
    return usage


def _network(networks: dict[str, dict[str, int]]) -> tuple[int, int]:
    interfaces = networks.values()
    return sum(one.get("rx_bytes", 0) for one in interfaces), sum(
        one.get("tx_bytes", 0) for one in interfaces
    )


def _block_io(blkio: dict[str, Any]) -> tuple[int, int]:
    totals = {"r": 0, "w": 0}
    for entry in blkio.get("io_service_bytes_recursive") or ():
        way = entry.get("op", "")[:1].lower()
        if way in totals:
            totals[way] += entry.get("value", 0)
    return totals["r"], totals["w"]
