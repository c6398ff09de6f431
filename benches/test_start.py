"""How long a program takes to start in a container: the floor, bundles, command lines, in-process."""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benches.rivals import Rival, without_unified

ROUNDS = 40


@pytest.mark.parametrize("kind", ["plain", "net", "net-cgroup"])
def test_floor(benchmark: BenchmarkFixture, floor: Path, rootfs: Path, scratch: Path, kind: str) -> None:
    """The C program times its own rounds; its figures are fed to the benchmark one by one."""
    layers = scratch / f"floor-{kind}"
    layers.mkdir()
    command = [str(floor), str(rootfs), str(layers), str(ROUNDS), *kind.split("-")]
    rounds = [float(line) / 1e6 for line in subprocess.check_output(command, text=True).split()]
    clock = _Replay(rounds)
    benchmark._timer = clock
    benchmark.pedantic(clock.step, rounds=ROUNDS)


class _Replay:
    """A clock that moves by the next recorded duration at each step."""

    def __init__(self, durations: list[float]) -> None:
        self.durations = iter(durations)
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def step(self) -> None:
        self.now += next(self.durations)


@pytest.fixture(scope="module")
def bundle(scratch: Path, rootfs: Path) -> Path:
    """An OCI bundle of busybox `true` that every runtime takes: runc's own `spec`, without a terminal."""
    directory = scratch / "bundle"
    directory.mkdir()
    subprocess.run(["runc", "spec", "--bundle", directory], check=True)
    path = directory / "config.json"
    config = json.loads(path.read_text())
    config["process"]["terminal"] = False
    config["process"]["args"] = ["/bin/true"]
    config["process"].pop("rlimits", None)  # hard limits above our own need CAP_SYS_RESOURCE
    config["root"]["path"] = str(rootfs)
    path.write_text(json.dumps(config))
    return directory


@pytest.mark.parametrize("runtime", ["pyctr-oci", "crun", "runc", "bwrap"])
def test_bundle(benchmark: BenchmarkFixture, bundle: Path, rootfs: Path, scratch: Path, runtime: str) -> None:
    """`run` of a ready bundle, or for bwrap its own words for the same sandbox."""
    program = _binary() if runtime == "pyctr-oci" else shutil.which(runtime)
    if program is None:
        pytest.skip(f"{runtime} is not installed")
    state = str(scratch / f"state-{runtime}")
    command = [program, "--root", state, "run", "--bundle", str(bundle), f"bench-{runtime}"]
    if runtime == "bwrap":
        command = [
            program,
            "--unshare-all",
            "--bind",
            str(rootfs),
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "/bin/true",
        ]
    without_unified(lambda: benchmark.pedantic(_quietly, args=(command,), rounds=ROUNDS, warmup_rounds=3))


def _binary() -> str:
    """The static binary behind `pyctr-oci`, as `pyctr info` prints it for other engines."""
    from pyctr.oci import BINARY

    return BINARY


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize("name", ["pyctr", "podman", "docker"])
def test_run(benchmark: BenchmarkFixture, engines: dict[str, Rival], name: str) -> None:
    """The whole process of `run --rm --net=none busybox true`."""
    engine = _engine(engines, name)
    words = ("run", "--rm", "--net=none", "busybox", "true")
    benchmark.pedantic(engine, args=words, rounds=ROUNDS if name == "pyctr" else 10, warmup_rounds=2)


@pytest.mark.parametrize("name", ["pyctr", "podman", "docker"])
def test_exec(benchmark: BenchmarkFixture, engines: dict[str, Rival], name: str) -> None:
    """`exec` of `true` in a container that idles."""
    engine = _engine(engines, name)
    container = engine("run", "-d", "--net=none", "busybox", "sleep", "1000")
    try:
        words = ("exec", container, "true")
        benchmark.pedantic(engine, args=words, rounds=ROUNDS if name == "pyctr" else 10, warmup_rounds=2)
    finally:
        engine("rm", "-f", container)


@pytest.mark.parametrize("name", ["pyctr", "podman", "docker"])
def test_parallel_runs(benchmark: BenchmarkFixture, engines: dict[str, Rival], name: str) -> None:
    """Forty short containers, eight at a time."""
    engine = _engine(engines, name)

    def forty() -> None:
        with ThreadPoolExecutor(8) as pool:
            runs = [pool.submit(engine, "run", "--rm", "--net=none", "busybox", "true") for _ in range(40)]
            for run in runs:
                run.result()

    benchmark.pedantic(forty, rounds=3 if name == "pyctr" else 1)


def test_engine_run(benchmark: BenchmarkFixture, engines: dict[str, Rival]) -> None:
    """`Engine.run` in a process that is warm already."""
    import pyctr

    env = engines["pyctr"].env
    with pyctr.Engine(root=env["PYCTR_ROOT"], run_root=env["PYCTR_RUN_ROOT"]) as engine:
        benchmark.pedantic(engine.run, args=("busybox", ["true"]), rounds=ROUNDS, warmup_rounds=5)


def _engine(engines: dict[str, Rival], name: str) -> Rival:
    if name not in engines:
        pytest.skip(f"{name} is not installed")
    return engines[name]
