"""The engine of a test from outside: its command line, its images, and the report of a program inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pyctr
from tests.integration.security.images import BUSYBOX, Rootfs

PROBE = (Path(__file__).parent / "probe.py").read_text()
PYTHON = "/usr/bin/python3"

Cli = Callable[..., "subprocess.CompletedProcess[str]"]
Build = Callable[..., str]
Report = dict[str, Any]


@pytest.fixture
def cli(engine: pyctr.Engine, tmp_path: Path) -> Cli:
    """Run the command line on the same store; keyword arguments are those of subprocess.run."""
    program = [sys.executable, "-c", "from pyctr.cli import main; main()"]
    roots = ["--root", str(tmp_path / "root"), "--run-root", str(tmp_path / "run")]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def run(*argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
        options = {"stdin": subprocess.DEVNULL, **options}
        return subprocess.run(
            [*program, *roots, *argv],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
            timeout=60,
            env=environ,
            **options,
        )

    return run


@pytest.fixture
def build(engine: pyctr.Engine, tmp_path: Path) -> Build:
    """Make an image of a root file system; returns its reference."""
    if BUSYBOX is None:
        pytest.skip("busybox-static is not installed")

    def import_(rootfs: Rootfs | None = None, name: str = "hostile") -> str:
        engine.images.load_archive(str((rootfs or Rootfs()).save(tmp_path / f"{name}.tar")), name)
        return name

    return import_


@pytest.fixture
def probe(engine: pyctr.Engine) -> Callable[..., Report]:
    """Run the probe in a container of the machine's own files, with the options of ``Engine.run``."""
    if not os.access(PYTHON, os.X_OK):
        pytest.skip(f"needs {PYTHON} in the container")

    def run(**options: Any) -> Report:
        result = engine.run("host", [PYTHON, "-c", PROBE], **options)
        assert result.exit_code == 0, result
        return read(result.stdout)

    return run


def read(printed: bytes) -> Report:
    found: Report = json.loads(printed)
    return found
