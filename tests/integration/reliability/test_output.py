"""Output comes back to the byte, logs stay bounded, and no client can hold a container up for good."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.integration.reliability.host import times

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

MIB = 1 << 20


def container_directory(host: Host, id: str) -> Path:
    return host.base / "root" / "containers" / id


def test_one_long_line(host: Host) -> None:
    size = times(8, 64) * MIB
    script = f"head -c {size} /dev/zero | tr '\\0' x; echo end"
    done = host.pyctr("run", "--net=none", "--name", "box", "host", "sh", "-c", script)
    assert done.stdout == b"x" * size + b"end\n"
    assert host.pyctr("logs", "box").stdout == done.stdout


def test_binary_output(host: Host, tmp_path: Path) -> None:
    data = os.urandom(times(4, 64) * MIB)
    (tmp_path / "data").write_bytes(data)
    done = host.pyctr(
        "run", "--rm", "--net=none", "-v", f"{tmp_path}/data:/data:ro", "busybox", "cat", "/data"
    )
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()
    done = host.pyctr("run", "--rm", "-i", "--net=none", "busybox", "cat", stdin=data)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_rotation_keeps_logs_small(host: Host) -> None:
    limit, written = times(1, 10), times(12, 300)
    options = ["--log-opt", f"max-size={limit}m", "--log-opt", "max-file=3"]
    script = f"yes 0123456789012345678901234567890123456789 | head -c {written * MIB}; echo; echo last"
    id = host.pyctr.ok("run", "-d", "--net=none", *options, "host", "sh", "-c", script).strip()
    most = 0
    deadline = time.monotonic() + 300
    while host.pyctr.ok("inspect", "-f", "{{.State.Running}}", id) == "true\n":
        most = max(most, disk_usage(container_directory(host, id)))
        assert time.monotonic() < deadline
        time.sleep(0.05)
    most = max(most, disk_usage(container_directory(host, id)))
    assert limit * MIB < most < 3.3 * limit * MIB
    assert host.pyctr.ok("logs", "--tail", "1", id) == "last\n"


def disk_usage(directory: Path) -> int:
    total = 0
    for path in directory.iterdir():
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:  # rotated away
            continue
    return total


def test_a_stopped_client_holds_up_its_container_only_while_it_stays(host: Host) -> None:
    script = f"head -c {8 * MIB} /dev/zero; echo done >&2; exec sleep 1000"
    host.pyctr.ok(
        "run", "-d", "-i", "--net=none", "--name", "box", "host", "sh", "-c", f"read line; {script}"
    )
    stuck = host.pyctr.start("attach", "box")  # nobody reads its output
    assert stuck.stdin is not None
    stuck.stdin.write(b"go\n")
    stuck.stdin.flush()
    for command in (
        ["exec", "box", "true"],
        ["ps"],
        ["logs", "--tail", "0", "box"],
        ["stats", "--no-stream", "box"],
        ["top", "box"],
    ):
        assert host.pyctr(*command).returncode == 0, command
    stuck.kill()
    stuck.communicate()
    deadline = time.monotonic() + 60
    while host.pyctr("logs", "box").stderr != b"done\n":
        assert time.monotonic() < deadline
    assert len(host.pyctr("logs", "box").stdout) == 8 * MIB


def test_a_stopped_client_does_not_keep_stop_waiting(host: Host) -> None:
    host.pyctr.ok(
        "run",
        "-d",
        "--net=none",
        "--name",
        "box",
        "busybox",
        "sh",
        "-c",
        "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done",
    )
    stuck = host.pyctr.start("attach", "box")
    time.sleep(1)
    assert host.pyctr("stop", "-t", "0", "box").returncode == 0
    assert host.pyctr.ok("inspect", "-f", "{{.State.Status}}", "box") == "exited\n"
    assert host.pyctr("rm", "box").returncode == 0
    stuck.kill()
    stuck.communicate()


def test_a_stopped_client_keeps_no_supervisor(host: Host) -> None:
    """The kernel holds the last output for it; the log has it anyway."""
    size = 900_000  # more than a socket takes by itself, less than what makes the container wait
    script = f"echo up; until [ -e /go ]; do sleep 0.05; done; head -c {size} /dev/zero; exit 7"
    client = host.pyctr.start("run", "--net=none", "--name", "box", "host", "sh", "-c", script)
    assert client.stdout is not None
    assert client.stdout.readline() == b"up\n"
    client.send_signal(signal.SIGSTOP)
    host.pyctr.ok("exec", "box", "touch", "/go")
    assert host.pyctr.ok("wait", "box") == "7\n"
    host.settle()
    assert host.pyctr("logs", "box").stdout == b"up\n" + bytes(size)
    client.send_signal(signal.SIGCONT)
    out, _ = client.communicate(timeout=60)
    assert (out == bytes(size), client.returncode) == (True, 7)


def test_a_slow_reader_gets_everything(host: Host) -> None:
    process = host.pyctr.start("run", "--rm", "--net=none", "host", "head", "-c", str(4 * MIB), "/dev/zero")
    assert process.stdout is not None
    total = 0
    while chunk := process.stdout.read1(65536):  # type: ignore[attr-defined]
        total += len(chunk)
        time.sleep(0.002)
    process.communicate()
    assert (process.returncode, total) == (0, 4 * MIB)


def test_a_reader_that_leaves(host: Host) -> None:
    argv = host.pyctr.argv("run", "--rm", "--net=none", "busybox", "sh", "-c", "while echo y; do :; done")
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=host.pyctr.environ
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        process.kill()
        process.stdout = None
        process.communicate()
    for id in host.rows():
        host.pyctr("rm", "-f", id)


def test_a_fork_bomb(host: Host) -> None:
    bomb = "bomb() { bomb | bomb & }; bomb; sleep 1000"
    id = host.pyctr.ok("run", "-d", "--net=none", "--pids-limit", "60", "busybox", "sh", "-c", bomb).strip()
    time.sleep(1)
    assert host.pyctr.ok("run", "--rm", "--net=none", "busybox", "echo", "responsive") == "responsive\n"
    assert host.rows()[id] in ("running", "exited")
    assert host.pyctr("rm", "-f", id).returncode == 0
    assert host.clean() == {}
