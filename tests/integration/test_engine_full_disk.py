"""With no byte left on the disk one can still look, stop and clear up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

SCRIPT = """
import os, sys
import pyctr

base = sys.argv[1]
engine = pyctr.Engine(base + "/disk/root", base + "/run")
running = engine.containers.run("host", ["sh", "-c", "echo hello; exec sleep 1000"], name="running")
ended = engine.containers.create("host", ["sh", "-c", "head -c 100000 /dev/zero > /srv/file"], name="ended")
ended.start()
assert ended.wait() == 0
unused = engine.containers.create("host", "true", name="unused")
engine.volumes.create("volume")
engine.close()

with open(base + "/disk/filler", "wb") as filler:
    try:
        while True:
            os.write(filler.fileno(), bytes(4096))
    except OSError:
        pass
while True:  # inodes' worth of small holes too
    try:
        with open(base + "/disk/filler", "ab", buffering=0) as filler:
            filler.write(b"x")
    except OSError:
        break
assert os.statvfs(base + "/disk").f_bavail == 0

engine = pyctr.Engine(base + "/disk/root", base + "/run")
assert len(engine.containers.list(all=True)) == 3
assert engine.containers.get("running").status == "running"
assert engine.containers.get("running").logs() == b"hello\\n"
engine.containers.get("running").stop(timeout=0)
assert engine.containers.get("running").status == "exited"
engine.containers.get("running").remove()
assert engine.containers.prune()["ContainersDeleted"]
assert engine.containers.list(all=True) == []
engine.volumes.prune()
engine.volumes.get("volume").remove()
print("survived")
"""


def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    mount = 'mount -t tmpfs -o size=6m tmpfs "$1/disk" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, SCRIPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "survived\n", done.stderr
