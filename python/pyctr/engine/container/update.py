"""update: change the limits of a container, running or not."""

from __future__ import annotations

from pyctr.engine import cgroups
from pyctr.engine.container.config import check_restart, settle_memory
from pyctr.engine.facts import gather
from pyctr.engine.spec.resources import resources
from pyctr.engine.state import LIVE
from pyctr.errors import Conflict, InvalidParameter
from pyctr.store.json import dumps
from pyctr.store.locks import DirLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.core import Core

KEYS = frozenset(
    """BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps
    BlkioDeviceWriteIOps CpuShares CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus
    CpusetMems Memory MemoryReservation MemorySwap MemorySwappiness NanoCpus PidsLimit""".split()  # noqa: SIM905
)


def update(core: Core, ref: str, body: t.UpdateBody) -> t.UpdateReply:
    """``POST /containers/{id}/update``."""
    if body.get("RestartPolicy"):
        check_restart(body["RestartPolicy"])
    changes = {key: value for key, value in body.items() if key in KEYS and (value or key == "PidsLimit")}
    changes = {key: value for key, value in changes.items() if value is not None}
    row = core.container(ref)
    if row.state in ("removing", "dead"):
        raise Conflict(f"cannot update container {ref}: it is {row.state}")
    with DirLock(core.paths.container(row.id)):
        row = core.container(row.id)
        doc = core.document(row)
        host = merged(doc["HostConfig"], changes)
        doc["HostConfig"] = host
        facts = gather(core, row.id, doc, dry=True)
        settle_memory(host, swap_limit=facts.swap_limit)  # type: ignore[arg-type]
        limits, warnings = resources(host, facts)  # type: ignore[arg-type]
        if row.state in LIVE and changes:
            cgroups.update(core, row, limits)
        core.containers.set(row.id, doc=dumps(doc))
    core.note(row, "update")
    return {"Warnings": warnings}


def merged(host: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The HostConfig after an update. ``--cpus`` and period with quota are two ways to say one thing."""
    period_or_quota = "CpuPeriod" in changes or "CpuQuota" in changes
    if "NanoCpus" in changes and period_or_quota:
        raise InvalidParameter("conflicting options: Nano CPUs and CPU Period or Quota cannot both be set")
    if "NanoCpus" in changes and (host.get("CpuPeriod") or host.get("CpuQuota")):
        raise Conflict("conflicting options: NanoCPUs cannot be updated as CPU Period or Quota is set")
    if period_or_quota and host.get("NanoCpus"):
        raise Conflict("conflicting options: CPU Period and Quota cannot be updated as NanoCPUs is set")
    memory, swap = changes.get("Memory", 0), host.get("MemorySwap") or 0
    if memory and "MemorySwap" not in changes and 0 < swap < memory:
        raise Conflict("memory limit should be smaller than already set memoryswap limit, "
                       "update the memoryswap at the same time")  # fmt: skip
    return {**host, **changes}
