"""``linux.resources``: what a container may use, checked with docker's words."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pyctr.engine.spec.facts import HostFacts
    from pyctr.engine.types import Resources

MIN_MEMORY = 6 << 20
CPU_PERIOD = 100_000
"""Microseconds; what ``--cpus`` is a share of."""


def resources(wanted: Resources, facts: HostFacts) -> tuple[dict[str, Any], list[str]]:
    """Return OCI resources, without devices, and warnings about limits that had to be left out.

    ``wanted`` may be a whole HostConfig or the part of it that ``update`` changes.
    """
    warnings: list[str] = []
    found: dict[str, Any] = {}
    for key, part in (
        ("memory", _memory(wanted, facts, warnings)),
        ("cpu", _cpu(wanted, facts, warnings)),
        ("pids", _pids(wanted, facts, warnings)),
        ("blockIO", _block_io(wanted, facts, warnings)),
    ):
        if part:
            found[key] = part
    return found, warnings


def _lacks(facts: HostFacts, controller: str, what: str, warnings: list[str]) -> bool:
    if controller in facts.controllers:
        return False
    warnings.append(
        f"your kernel does not support {what} or the cgroup is not mounted: the limitation is discarded"
    )
    return True


def _memory(wanted: Resources, facts: HostFacts, warnings: list[str]) -> dict[str, Any]:
    limit, swap = wanted.get("Memory") or 0, wanted.get("MemorySwap") or 0
    reservation = wanted.get("MemoryReservation") or 0
    swappiness, no_oom = wanted.get("MemorySwappiness"), wanted.get("OomKillDisable")
    _check_memory(limit, swap, reservation, swappiness)
    if swappiness == -1:
        swappiness = None
    if limit > 0 and swap == 0 and facts.swap_limit:
        swap = 2 * limit
    if swap > 0 and not facts.swap_limit:
        warnings.append(
            "your kernel does not support swap limit capabilities: memory is limited without swap"
        )
        swap = 0
    if facts.cgroup_version == 2 and (swappiness is not None or no_oom):
        warnings.append("cgroup v2 has neither memory swappiness nor a switch for the OOM killer: discarded")
        swappiness = no_oom = None
    if no_oom and limit == 0:
        warnings.append(
            "OOM killer is disabled for the container, but no memory limit is set, "
            "this can result in the system running out of resources"
        )
    values = {
        "limit": limit if limit > 0 else None,
        "reservation": reservation if reservation > 0 else None,
        "swap": swap or None,
        "kernelTCP": wanted.get("KernelMemoryTCP") or None,
        "swappiness": swappiness,
        "disableOOMKiller": no_oom or None,
    }
    found = {key: value for key, value in values.items() if value is not None}
    return {} if found and _lacks(facts, "memory", "memory limit capabilities", warnings) else found


def _check_memory(limit: int, swap: int, reservation: int, swappiness: int | None) -> None:
    if limit != 0 and limit < MIN_MEMORY:
        raise InvalidParameter("minimum memory limit allowed is 6MB")
    if limit == 0 and swap > 0:
        raise InvalidParameter(
            "you should always set the memory limit when using memoryswap limit, see usage"
        )
    if 0 < swap < limit:
        raise InvalidParameter("minimum memoryswap limit should be larger than memory limit, see usage")
    if reservation != 0 and reservation < MIN_MEMORY:
        raise InvalidParameter("minimum memory reservation allowed is 6MB")
    if 0 < limit < reservation:
        raise InvalidParameter(
            "minimum memory limit can not be less than memory reservation limit, see usage"
        )
    if swappiness is not None and not -1 <= swappiness <= 100:
        raise InvalidParameter(f"invalid value: {swappiness}, valid memory swappiness range is 0-100")


def _cpu(wanted: Resources, facts: HostFacts, warnings: list[str]) -> dict[str, Any]:
    _check_cpu(wanted, facts)
    nano, period = wanted.get("NanoCpus") or 0, wanted.get("CpuPeriod") or 0
    quota = wanted.get("CpuQuota") or 0
    if nano:
        period, quota = CPU_PERIOD, nano * CPU_PERIOD // 10**9
    times = {
        "shares": wanted.get("CpuShares") or 0,
        "period": period,
        "quota": quota,
        "realtimePeriod": wanted.get("CpuRealtimePeriod") or 0,
        "realtimeRuntime": wanted.get("CpuRealtimeRuntime") or 0,
    }
    sets = {
        "cpus": _listed(wanted.get("CpusetCpus") or "", facts.cpuset_cpus, "cpus", "CPUs"),
        "mems": _listed(wanted.get("CpusetMems") or "", facts.cpuset_mems, "mems", "memory nodes"),
    }
    found: dict[str, Any] = {}
    for part, controller, what in ((times, "cpu", "CPU shares and quotas"), (sets, "cpuset", "cpusets")):
        given = {key: value for key, value in part.items() if value}
        if given and not _lacks(facts, controller, what, warnings):
            found |= given
    return found


def _check_cpu(wanted: Resources, facts: HostFacts) -> None:
    nano, period = wanted.get("NanoCpus") or 0, wanted.get("CpuPeriod") or 0
    quota = wanted.get("CpuQuota") or 0
    if nano and period:
        raise InvalidParameter("conflicting options: Nano CPUs and CPU Period cannot both be set")
    if nano and quota:
        raise InvalidParameter("conflicting options: Nano CPUs and CPU Quota cannot both be set")
    if nano < 0 or (facts.cpus and nano > facts.cpus * 10**9):
        raise InvalidParameter(
            f"range of CPUs is from 0.01 to {facts.cpus}.00, as there are only {facts.cpus} CPUs available"
        )
    if 0 < nano < 10_000_000:
        raise InvalidParameter("range of CPUs is from 0.01 upwards: the kernel has no smaller quota")
    if (wanted.get("CpuShares") or 0) < 0:
        raise InvalidParameter(
            f"invalid CPU shares ({wanted['CpuShares']}): value must be a positive integer"
        )
    if period != 0 and not 1000 <= period <= 1_000_000:
        raise InvalidParameter(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
        )
    if 0 < quota < 1000:
        raise InvalidParameter("CPU cfs quota can not be less than 1ms (i.e. 1000)")
    runtime, realtime = wanted.get("CpuRealtimeRuntime") or 0, wanted.get("CpuRealtimePeriod") or 0
    if runtime > 0 and runtime > (realtime or 1_000_000):
        raise InvalidParameter("cpu real-time runtime cannot be higher than cpu real-time period")


def _listed(text: str, available: str, key: str, what: str) -> str:
    """Check a list of CPUs or memory nodes like ``0-2,4`` against those that there are."""
    try:
        wanted, there = numbers(text), numbers(available)
    except ValueError:
        raise InvalidParameter(f"invalid value {text} for cpuset {key}") from None
    if available and wanted - there:
        raise InvalidParameter(
            f"requested {what} are not available - requested {text}, available: {available}"
        )
    return text


def numbers(text: str) -> set[int]:
    """Read the kernel's list format; ValueError for anything else."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, dash, last = part.partition("-")
        low = int(first)
        high = int(last) if dash else low
        # No machine has more; a range of billions must not eat the memory.
        if not 0 <= low <= high < 8192:
            raise ValueError(part)
        found.update(range(low, high + 1))
    return found


def _pids(wanted: Resources, facts: HostFacts, warnings: list[str]) -> dict[str, Any]:
    limit = wanted.get("PidsLimit")
    asked = limit is not None
    if limit is None:
        limit = facts.pids_limit
    if limit <= 0:
        return {"limit": -1} if asked and "pids" in facts.controllers else {}
    if "pids" not in facts.controllers:
        if asked:
            _lacks(facts, "pids", "PIDs limit capabilities", warnings)
        return {}
    return {"limit": limit}


_RATES = {
    "BlkioDeviceReadBps": "throttleReadBpsDevice",
    "BlkioDeviceWriteBps": "throttleWriteBpsDevice",
    "BlkioDeviceReadIOps": "throttleReadIOPSDevice",
    "BlkioDeviceWriteIOps": "throttleWriteIOPSDevice",
}


def _block_io(wanted: Resources, facts: HostFacts, warnings: list[str]) -> dict[str, Any]:
    options: Mapping[str, Any] = wanted
    found: dict[str, Any] = {}
    weight = wanted.get("BlkioWeight") or 0
    _check_weight(weight)
    if weight:
        found["weight"] = weight
    devices = wanted.get("BlkioWeightDevice") or ()
    for device in devices:
        _check_weight(device["Weight"])
    if devices:
        found["weightDevice"] = [_device(one["Path"], facts) | {"weight": one["Weight"]} for one in devices]
    if found and not facts.blkio_weight:
        warnings.append("your kernel does not support block I/O weight: the weight is discarded")
        found = {}
    for key, name in _RATES.items():
        if options.get(key):
            found[name] = [_device(one["Path"], facts) | {"rate": one["Rate"]} for one in options[key]]
    return {} if found and _lacks(facts, "blkio", "block I/O limits", warnings) else found


def _check_weight(weight: int) -> None:
    if weight != 0 and not 10 <= weight <= 1000:
        raise InvalidParameter("range of blkio weight is from 10 to 1000")


def _device(path: str, facts: HostFacts) -> dict[str, int]:
    if path not in facts.block_devices:
        raise InvalidParameter(f"cannot limit {path}: not a block device")
    major, minor = facts.block_devices[path]
    return {"major": major, "minor": minor}
