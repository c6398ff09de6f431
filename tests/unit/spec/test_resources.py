"""Limits: OCI's fields, docker's refusals, and warnings where a kernel cannot limit."""

from __future__ import annotations

from typing import Any

import pytest

from pyctr.engine.spec.resources import numbers
from pyctr.errors import InvalidParameter

from .building import make

MIB = 1 << 20


def limits(**keys: Any) -> dict[str, Any]:
    found: dict[str, Any] = make(**keys)[0]["linux"]["resources"]
    return found


def test_memory() -> None:
    assert limits(Memory=100 * MIB)["memory"] == {"limit": 100 * MIB, "swap": 200 * MIB}
    assert limits(Memory=100 * MIB, MemorySwap=-1)["memory"] == {"limit": 100 * MIB, "swap": -1}
    full = limits(
        Memory=100 * MIB,
        MemorySwap=150 * MIB,
        MemoryReservation=50 * MIB,
        MemorySwappiness=10,
        OomKillDisable=True,
        KernelMemoryTCP=7 * MIB,
    )
    assert full["memory"] == {
        "limit": 100 * MIB,
        "swap": 150 * MIB,
        "reservation": 50 * MIB,
        "swappiness": 10,
        "disableOOMKiller": True,
        "kernelTCP": 7 * MIB,
    }
    assert "memory" not in limits(MemorySwappiness=-1)


def test_cpus() -> None:
    assert limits(NanoCpus=1_500_000_000)["cpu"] == {"period": 100_000, "quota": 150_000}
    found = limits(CpuShares=512, CpuPeriod=50_000, CpuQuota=25_000, CpusetCpus="0-1", CpusetMems="0")
    assert found["cpu"] == {"shares": 512, "period": 50_000, "quota": 25_000, "cpus": "0-1", "mems": "0"}


def test_pids() -> None:
    assert limits(PidsLimit=50)["pids"] == {"limit": 50}
    assert limits(PidsLimit=-1)["pids"] == limits(PidsLimit=0)["pids"] == {"limit": -1}
    assert "pids" not in limits(pids_limit=0)


def test_block_devices() -> None:
    found = limits(
        BlkioWeight=300,
        BlkioWeightDevice=[{"Path": "/dev/a", "Weight": 200}],
        BlkioDeviceReadBps=[{"Path": "/dev/a", "Rate": 1}],
        BlkioDeviceWriteBps=[{"Path": "/dev/a", "Rate": 2}],
        BlkioDeviceReadIOps=[{"Path": "/dev/a", "Rate": 3}],
        BlkioDeviceWriteIOps=[{"Path": "/dev/a", "Rate": 4}],
        block_devices={"/dev/a": (8, 1)},
    )
    device = {"major": 8, "minor": 1}
    assert found["blockIO"] == {
        "weight": 300,
        "weightDevice": [device | {"weight": 200}],
        "throttleReadBpsDevice": [device | {"rate": 1}],
        "throttleWriteBpsDevice": [device | {"rate": 2}],
        "throttleReadIOPSDevice": [device | {"rate": 3}],
        "throttleWriteIOPSDevice": [device | {"rate": 4}],
    }
    with pytest.raises(InvalidParameter, match="cannot limit /dev/b"):
        limits(BlkioDeviceReadBps=[{"Path": "/dev/b", "Rate": 1}])


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"Memory": 6 * MIB - 1}, "minimum memory limit allowed is 6MB"),
        ({"MemorySwap": 8 * MIB}, "always set the memory limit"),
        ({"Memory": 8 * MIB, "MemorySwap": 7 * MIB}, "memoryswap limit should be larger"),
        ({"Memory": 8 * MIB, "MemoryReservation": 9 * MIB}, "less than memory reservation"),
        ({"MemoryReservation": 1}, "minimum memory reservation"),
        ({"MemorySwappiness": 101}, "valid memory swappiness range is 0-100"),
        ({"NanoCpus": 1, "CpuPeriod": 1000}, "Nano CPUs and CPU Period cannot both be set"),
        ({"NanoCpus": 1, "CpuQuota": 1000}, "Nano CPUs and CPU Quota cannot both be set"),
        ({"NanoCpus": 3 * 10**9, "cpus": 2}, "from 0.01 to 2.00, as there are only 2 CPUs"),
        ({"NanoCpus": -1, "cpus": 2}, "range of CPUs"),
        ({"NanoCpus": 9_999_999, "cpus": 2}, "range of CPUs"),
        ({"CpuShares": -1}, "invalid CPU shares"),
        ({"CpuPeriod": 999}, "CPU cfs period"),
        ({"CpuPeriod": 1_000_001}, "CPU cfs period"),
        ({"CpuQuota": 999}, "CPU cfs quota"),
        ({"CpuRealtimeRuntime": 20, "CpuRealtimePeriod": 10}, "real-time runtime"),
        ({"CpusetCpus": "moon"}, "invalid value moon for cpuset cpus"),
        ({"CpusetCpus": "0-2", "cpuset_cpus": "0-1"}, "requested 0-2, available: 0-1"),
        ({"CpusetMems": "1", "cpuset_mems": "0"}, "memory nodes are not available"),
        ({"BlkioWeight": 9}, "blkio weight is from 10 to 1000"),
        ({"BlkioWeightDevice": [{"Path": "/x", "Weight": 1001}]}, "blkio weight"),
    ],
)
def test_refusals_have_dockers_words(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        make(**keys)


@pytest.mark.parametrize(
    ("keys", "lost", "reason"),
    [
        ({"Memory": 8 * MIB, "controllers": ()}, "memory", "memory limit"),
        ({"NanoCpus": 10**9, "controllers": ()}, "cpu", "CPU shares"),
        ({"CpusetCpus": "0", "controllers": ("cpu",)}, "cpu", "cpusets"),
        ({"PidsLimit": 5, "controllers": ()}, "pids", "PIDs limit"),
        ({"BlkioWeight": 10, "controllers": ()}, "blockIO", "block I/O"),
        ({"BlkioWeight": 10, "blkio_weight": False}, "blockIO", "block I/O weight"),
        ({"MemorySwappiness": 10, "cgroup_version": 2}, "memory", "cgroup v2 has neither"),
    ],
)
def test_what_the_kernel_cannot_limit_is_left_out_and_said(
    keys: dict[str, Any], lost: str, reason: str
) -> None:
    spec, warnings = make(**keys)
    assert lost not in spec["linux"]["resources"]
    assert [warning for warning in warnings if reason in warning]


def test_nothing_asked_for_means_no_warning() -> None:
    assert make(controllers=(), blkio_weight=False, swap_limit=False)[1] == []


def test_without_swap_accounting_memory_alone_is_limited() -> None:
    spec, warnings = make(Memory=8 * MIB, MemorySwap=9 * MIB, swap_limit=False)
    assert spec["linux"]["resources"]["memory"] == {"limit": 8 * MIB}
    assert len(warnings) == 1
    assert make(Memory=8 * MIB, swap_limit=False)[1] == []


def test_lists_of_numbers() -> None:
    assert numbers("0-2,5") == {0, 1, 2, 5}
    for bad in ("1-", "-1", "2-1", "0-99999999999", "a", "1,,2"):
        with pytest.raises(ValueError):  # noqa: PT011
            numbers(bad)
