"""What the test machine runs: the cgroup tests of the Rust crate, and integration tests marked ``v2``."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def command() -> list[str]:
    """Build what is to be run there, and give the command that runs all of it and fails if any part fails."""
    parts = [[str(_cgroup_tests())], _integration_tests()]
    script = "\n".join(f"{shlex.join(part)} || status=1" for part in parts)
    return ["sh", "-c", f"status=0\n{script}\nexit $status"]


def _integration_tests() -> list[str]:
    pytest = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"]
    return [*pytest, "-m", "v2", "tests/integration"]


def _cgroup_tests() -> Path:
    """The program of the crate's tests on real hierarchies, which needs no Rust there."""
    build = [
        "cargo",
        "test",
        "--quiet",
        "--locked",
        "--package",
        "pyctr-cgroup",
        "--test",
        "real",
        "--no-run",
    ]
    built = subprocess.run(
        [*build, "--message-format=json"], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    artifacts = (json.loads(line) for line in built.stdout.splitlines())
    found = [a["executable"] for a in artifacts if a.get("executable") and a["target"]["name"] == "real"]
    return Path(found[-1])
