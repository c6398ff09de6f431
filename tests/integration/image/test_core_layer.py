"""``pyctr._core``'s functions on archives: what only shows from Python."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pyctr import _core

if TYPE_CHECKING:
    from pathlib import Path

WAIT_FOR_ARCHIVE = """
import os, sys
from pyctr import _core
root = os.open(sys.argv[1], os.O_RDONLY)
reader, writer = os.pipe()
try:
    print("ready", flush=True)
    _core.layer_apply(reader, root)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_ctrl_c_ends_what_waits_for_input(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WAIT_FOR_ARCHIVE, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted\n"
        assert process.wait() == 0


APPLY = """
import os, resource, sys
from pyctr import _core
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
root = os.open(sys.argv[1], os.O_RDONLY)
size = _core.layer_apply(0, root, whiteouts="keep")["content"]
print(size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    """256 MiB of zeros, in an archive of a few hundred kilobytes."""
    size = 256 << 20
    (tmp_path / "zeros").touch()
    os.truncate(tmp_path / "zeros", size)
    archive = tmp_path / "bomb.tar.zst"
    subprocess.run(["tar", "-C", tmp_path, "--zstd", "-cf", archive, "zeros"], check=True)
    (tmp_path / "out").mkdir()
    with open(archive) as file:
        command = [sys.executable, "-c", APPLY, str(tmp_path / "out")]
        done = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
    content, kilobytes = done.stdout.split()
    assert int(content) == size
    assert int(kilobytes) < 64 << 10


def test_packing_into_a_closed_pipe_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1 << 20))
    root = os.open(tmp_path, os.O_RDONLY)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with pytest.raises(BrokenPipeError, match="cannot write"):
            _core.layer_pack(root, b"", writer)
    finally:
        os.close(root)
        os.close(writer)


def test_digests_are_of_what_came_and_of_what_was_in_it(tmp_path: Path) -> None:
    root = os.open(tmp_path, os.O_RDONLY)
    plain = b"\0" * 10240
    packed = subprocess.run(["gzip", "-c"], input=plain, capture_output=True, check=True).stdout
    reader, writer = os.pipe()
    os.write(writer, packed)
    os.close(writer)
    try:
        applied = _core.layer_apply(reader, root, whiteouts="keep")
    finally:
        os.close(root)
        os.close(reader)
    assert applied["diff_id"] == "sha256:" + hashlib.sha256(plain).hexdigest()
    assert applied["digest"] == "sha256:" + hashlib.sha256(packed).hexdigest()
    assert (applied["size"], applied["compressed_size"]) == (len(plain), len(packed))
    assert (applied["compression"], applied["complete"], applied["entries"]) == ("gzip", True, 0)
    assert _core.sha256(plain) == hashlib.sha256(plain).hexdigest()


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    root = os.open(tmp_path, os.O_RDONLY)
    null = os.open("/dev/null", os.O_RDWR)
    before = os.listdir("/proc/self/fd")
    for _ in range(20):
        _core.layer_pack(root, b"", null)
        _core.tree_usage(root)
        with pytest.raises(ValueError, match="empty"):
            _core.layer_apply(null, root, lower=[root])
    assert os.listdir("/proc/self/fd") == before
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    with pytest.raises(OSError, match="Bad file descriptor"):
        _core.tree_usage(soft)
    os.close(root)
    os.close(null)
