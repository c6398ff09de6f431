"""A damaged meta.db costs a warning: it is kept aside, and every container, image and volume goes on."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.integration.reliability.host import only_when_full, times
from tests.integration.reliability.test_races import at_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.reliability.host import Host

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

PAGE = 4096


def no_header(data: bytearray) -> bytes:
    return bytes(PAGE) + data[PAGE:]


def cut(data: bytearray) -> bytes:
    return bytes(data[: len(data) // 2])


def zeros(data: bytearray) -> bytes:
    return bytes(len(data))


def nothing(data: bytearray) -> bytes:
    return b""


def turned_bits(data: bytearray) -> bytes:
    for _ in range(200):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(data)


DAMAGES = [no_header, cut, zeros, nothing, turned_bits]


def damage(host: Host, how: Callable[[bytearray], bytes]) -> Path:
    """Damage the file, all of it: what is in the log is folded into it first."""
    import sqlite3

    meta = host.base / "root" / "meta.db"
    with sqlite3.connect(meta) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    meta.write_bytes(how(bytearray(meta.read_bytes())))
    return meta


@pytest.mark.parametrize("how", DAMAGES, ids=lambda how: how.__name__)
def test_nothing_is_lost(host: Host, how: Callable[[bytearray], bytes]) -> None:
    only_when_full(how in (no_header, zeros, turned_bits))
    run = ["run", "--net=none"]
    live = host.pyctr.ok(*run, "-d", "--name", "live", "-v", "data:/data", "busybox", "sleep", "1000").strip()
    assert host.pyctr(*run, "--name", "ended", "busybox", "sh", "-c", "echo hello; exit 4").returncode == 4
    ended = host.pyctr.ok("ps", "-aql", "--no-trunc").strip()
    made = host.pyctr.ok("create", "--net=none", "--name", "made", "busybox", "true").strip()
    meta = damage(host, how)
    content = meta.read_bytes()
    done = host.pyctr("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}} {{.Names}}")
    assert done.returncode == 0, done.stderr
    listed = {id: (state, name) for id, state, name in map(str.split, done.stdout.decode().splitlines())}
    states = {id: state for id, (state, _) in listed.items()}
    assert (how is turned_bits and not done.stderr) or states == {
        live: "running",
        ended: "exited",
        made: "created",
    }
    if how is not turned_bits or done.stderr:  # nobody can tell of a bit in the middle of a text
        (line,) = done.stderr.decode().splitlines()
        assert f"WARNING: {meta} was damaged" in line
        if content:
            assert f"kept as {meta}.damaged-" in line
            (kept,) = meta.parent.glob("meta.db.damaged-*Z")
            assert kept.read_bytes() == content
    if how is no_header or how is zeros:  # from the pages, or from the journal
        assert {name for _, name in listed.values()} == {"live", "ended", "made"}
    if how is no_header:
        assert host.pyctr.ok("exec", "live", "cat", "/etc/group") == "root:x:0:\n"
        assert host.pyctr.ok("logs", "ended") == "hello\n"
        host.pyctr.ok("start", "-a", "made")
        host.pyctr.ok("run", "--rm", "--net=none", "busybox", "true")
    assert b"Traceback" not in host.pyctr("start", made).stderr
    assert host.pyctr.ok("volume", "ls", "-q") == "data\n"
    host.clean()
    host.empty()
    host.pyctr.ok("volume", "rm", "data")


@pytest.mark.parametrize("how", [no_header, nothing], ids=lambda how: how.__name__)
def test_many_find_it_at_once(host: Host, how: Callable[[bytearray], bytes]) -> None:
    only_when_full(how is no_header)
    for _ in range(times(1, 20) if how is no_header else 1):
        ids = {host.pyctr.ok("create", "--net=none", "busybox", "true").strip() for _ in range(3)}
        meta = damage(host, how)
        for done in at_once(host, [["ps", "-aq", "--no-trunc"]] * 8):
            assert done.returncode == 0, done.stderr
            assert set(done.stdout.decode().split()) == ids, done.stderr
        assert len(list(meta.parent.glob("meta.db.damaged-*Z"))) == (how is no_header)
        for path in meta.parent.glob("meta.db.damaged-*"):
            path.unlink()
        host.pyctr.ok("rm", *ids)


def test_damaged_while_one_is_attached(host: Host) -> None:
    """A client that holds the old file open ends as if nothing were; the next command reads how it ended."""
    process = host.pyctr.start("run", "--net=none", "-i", "busybox", "sh", "-c", "echo up; read line; exit 6")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    meta = host.base / "root" / "meta.db"
    with open(meta, "r+b") as file:
        file.write(bytes(PAGE))
        file.flush()
        os.fsync(file.fileno())
    (meta.parent / "meta.db-wal").unlink(missing_ok=True)
    assert list(host.rows().values()) == ["running"]
    process.communicate(b"go\n", timeout=60)
    assert process.returncode == 6
    assert host.pyctr.ok("ps", "-a", "--format", "{{.Status}}").startswith("Exited (6)")
