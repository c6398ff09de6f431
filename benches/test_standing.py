"""What containers cost while they stand: memory, and the time to list them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benches.rivals import Rival

CROWD = 1000


def test_idle_memory(benchmark: BenchmarkFixture, engines: dict[str, Rival]) -> None:
    """Proportional set size of everything but the container itself, two seconds after it started."""
    engine = engines["pyctr"]
    container = engine("run", "-d", "--net=none", "busybox", "sleep", "1000")
    try:
        time.sleep(2)
        supervisor = _parent(int(engine("inspect", "-f", "{{.State.Pid}}", container)))
        kilobytes = benchmark.pedantic(_pss, args=(supervisor,), rounds=3)
        benchmark.extra_info["megabytes"] = kilobytes / 1024
    finally:
        engine("rm", "-f", container)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _pss(pid: int) -> int:
    """Proportional set size in KiB (proc(5), smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@pytest.fixture
def crowd(engines: dict[str, Rival], request: pytest.FixtureRequest) -> Iterator[int]:
    """As many running containers as the test asks for."""
    engine, count = engines["pyctr"], int(request.param)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        run = ("run", "-d", "--net=none", "busybox", "sleep", "10000")
        containers = list(pool.map(lambda _: engine(*run), range(count)))
        yield count
        list(pool.map(lambda chunk: engine("rm", "-f", *chunk), _chunks(containers, 50)))


def _chunks(items: list[str], size: int) -> list[list[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


@pytest.mark.parametrize("crowd", [0, CROWD], indirect=True)
def test_ps(benchmark: BenchmarkFixture, engines: dict[str, Rival], crowd: int) -> None:
    """`pyctr ps`, the whole process."""
    listing = benchmark.pedantic(engines["pyctr"], args=("ps", "-q"), rounds=20, warmup_rounds=2)
    assert len(listing.split()) == crowd
