"""What the benchmarks share: a busybox root file system, the rivals, and the table at the end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benches import rivals

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory for one run of the benchmarks."""
    if os.geteuid() != 0:
        pytest.skip("benchmarks start containers and need root")
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="session")
def rootfs(scratch: Path) -> Path:
    """A root file system of static busybox with its usual names."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox-static is not installed")
    root = scratch / "rootfs"
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        (root / name).mkdir(parents=True)
    shutil.copy(busybox, root / "bin/busybox")
    for applet in subprocess.check_output([busybox, "--list"], text=True).split():
        if applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    return root


@pytest.fixture(scope="session")
def archive(scratch: Path, rootfs: Path) -> Path:
    """The same root file system as a tar archive, for every engine's `import`."""
    path = scratch / "busybox.tar"
    subprocess.run(["tar", "-C", rootfs, "-cf", path, "."], check=True)
    return path


@pytest.fixture(scope="session")
def floor(scratch: Path) -> Path:
    """The compiled kernel-floor program."""
    program = scratch / "floor"
    subprocess.run(["cc", "-O2", "-o", program, HERE / "floor/floor.c"], check=True)
    return program


@pytest.fixture(scope="session")
def engines(scratch: Path, archive: Path) -> Iterator[dict[str, rivals.Rival]]:
    """Pyctr, and those of docker and podman that this machine has."""
    for name in ("pyctr", "podman", "docker"):
        (scratch / name).mkdir()
    found = {"pyctr": rivals.pyctr(scratch / "pyctr", archive)}
    with ExitStack() as stack:
        if shutil.which("podman"):
            found["podman"] = stack.enter_context(rivals.podman(scratch / "podman", archive))
        if shutil.which("dockerd"):
            found["docker"] = stack.enter_context(rivals.docker(scratch / "docker", archive))
        yield found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print BUDGETS.md's table with what this run measured."""
    session = getattr(config, "_benchmarksession", None)
    if session is None or not session.benchmarks:
        return
    measured = {bench.name.removeprefix("test_"): bench for bench in session.benchmarks if bench.stats.data}
    seconds = {name: bench.stats.median for name, bench in measured.items()}
    extra = {name: bench.extra_info for name, bench in measured.items()}
    terminalreporter.section("budgets")
    for case, limit, rival in _budgets():
        if rival and case in seconds and rival in seconds:
            ratio = seconds[case] / seconds[rival]
            verdict = "holds" if ratio <= limit else "MISSES"
            figures = f"{seconds[case] * 1e3:8.2f} ms  {ratio:5.2f} x {rival} ({seconds[rival] * 1e3:.2f} ms)"
        elif not rival and "megabytes" in extra.get(case, {}):
            megabytes = extra[case]["megabytes"]
            verdict = "holds" if megabytes <= limit else "MISSES"
            figures = f"{megabytes:8.3f} MB"
        else:
            continue
        terminalreporter.write_line(f"{verdict:6}  {case:22} {figures}, at most {limit}")


def _budgets() -> Iterator[tuple[str, float, str]]:
    """The rows of BUDGETS.md as (case, limit, rival or "")."""
    row = re.compile(r"\| `([^`]+)` \| ([\d.]+) (?:x|MB) \| (?:`([^`]+)`)? ?\|")
    for line in (HERE / "BUDGETS.md").read_text().splitlines():
        if match := row.match(line):
            yield match[1], float(match[2]), match[3] or ""
