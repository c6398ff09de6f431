"""Documents with nonsense in one place: an answer or an error that says what is wrong, nothing left behind.

A few examples by default; PYCTR_TEST_FULL=1 tries many.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyctr
from tests.integration.security.images import BUSYBOX

pytestmark = pytest.mark.root
FULL = bool(os.environ.get("PYCTR_TEST_FULL"))
QUICK = settings(
    max_examples=3000 if FULL else 40,
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NONSENSE: list[Any] = [
    None, True, -1, 0, 1.5, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, -(1 << 63), 1 << 64, 1 << 200, "", "x",
    "..", "../../x", "/", "/proc/self/fd/3", "a\0b", "\n", "%s%n", "x" * 5000, "\ud83d", "é", [], {}, [None],
    [[]], {"": ""}, {"x": None}, ["x"] * 300, "0-", "1:2:3", "-", "18446744073709551616", ["a\0b"], [-1],
]  # fmt: skip


LEFT_ALONE = [("root",), ("root", "path"), ("linux",), ("linux", "namespaces"), ("linux", "cgroupsPath")]
"""What makes root directory, mounts and cgroups the container's own."""


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, below in inner for place in places(below, (*path, key)))]


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(document)
    *above, last = place
    target = document
    for key in above:
        target = target[key]
    target[last] = value
    return document


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    if BUSYBOX is None:
        pytest.skip("busybox-static is not installed")
    path = tmp_path / "bundle"
    (path / "rootfs/bin").mkdir(parents=True)
    (path / "rootfs/bin/true").write_bytes(Path(BUSYBOX).resolve().read_bytes())
    (path / "rootfs/bin/true").chmod(0o755)
    return path


def document(oci: str, bundle: Path) -> Any:
    """``pyctr-oci spec``'s, and some more of what there is."""
    (bundle / "config.json").unlink(missing_ok=True)
    subprocess.run([oci, "spec", "--bundle", str(bundle)], check=True, capture_output=True)
    found = json.loads((bundle / "config.json").read_text())
    found["process"] |= {"terminal": False, "args": ["/bin/true"], "oomScoreAdj": 10}
    found["process"]["user"] |= {"additionalGids": [5], "umask": 18}
    found["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 1}
    found["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 1}
    found["mounts"].append(
        {"destination": "/t", "type": "tmpfs", "source": "t", "options": ["size=1m", "nosuid", "mode=700"]}
    )
    found["linux"] |= {
        "sysctl": {"net.ipv4.ip_default_ttl": "63"},
        "devices": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 438}],
        "seccomp": {
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [
                {
                    "names": ["mkdir"],
                    "action": "SCMP_ACT_ERRNO",
                    "errnoRet": 1,
                    "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}],
                }
            ],
        },
        "resources": {"pids": {"limit": 20}, "memory": {"limit": 50 << 20}, "cpu": {"shares": 100}},
    }
    return found


@QUICK
@given(data=st.data())
def test_bundles_with_nonsense(engine: pyctr.Engine, bundle: Path, data: st.DataObject) -> None:
    oci = engine.info()["PyctrOciPath"]
    whole = document(oci, bundle)
    safe = [place for place in places(whole) if place and place[:2] not in LEFT_ALONE]
    place = data.draw(st.sampled_from(safe))
    changed = put(whole, place, data.draw(st.sampled_from(NONSENSE)))
    (bundle / "config.json").write_text(json.dumps(changed))
    name = f"pyctr-fuzz-{os.getpid()}"
    command = [oci, "--root", str(bundle.parent / "state"), "run", "--bundle", str(bundle), name]
    done = subprocess.run(
        ["unshare", "--mount", "timeout", "20", *command], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, errors="replace",
    )  # fmt: skip
    assert 0 <= done.returncode < 124 or done.returncode in (125, 126, 127), (place, done)
    assert "panicked" not in done.stderr
    assert done.returncode == 0 or len(done.stderr.strip().splitlines()) >= 1, (place, done)
    assert not (bundle.parent / "state" / name).exists(), (place, done)
    assert not list(Path("/sys/fs/cgroup").glob(f"*/*/{name}")), (place, done)
