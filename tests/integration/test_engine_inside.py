"""What one can do with a running container: exec, attach, logs, top, stats, update, files."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import pytest

import pyctr
from pyctr.engine.local import LocalEngine
from pyctr.errors import Conflict, InvalidParameter, NotFound, StartFailure

pytestmark = pytest.mark.root

SLEEP = ["sleep", "1000"]


def test_exec(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP, environment={"A": "1", "B": "2"})
    script = "echo $A $B $C; pwd; cat; exit 3"
    result = container.exec(
        ["sh", "-c", script], input=b"in", environment={"B": "x", "C": "3"}, workdir="/usr"
    )
    assert (result.exit_code, result.stdout) == (3, b"1 x 3\n/usr\nin")
    for command, code in (("nosuchprogram", 127), ("/etc/passwd", 126)):
        with pytest.raises(StartFailure, match=command) as raised:
            container.exec(command)
        assert raised.value.exit_code == code
    with pytest.raises(InvalidParameter, match="no exec command specified"):
        container.exec([])
    container.kill()
    container.wait()
    with pytest.raises(Conflict, match="is not running"):
        container.exec("true")


def test_exec_records(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP)
    execs = engine.backend.execs
    id = execs.create(container.id, {"Cmd": ["sh", "-c", "exit 4"], "AttachStdout": True})
    assert execs.inspect(id)["Running"] is False
    assert container.attrs["ExecIDs"] == [id]
    session = execs.start(id)
    assert session is not None
    assert session.wait() == 4
    found = execs.inspect(id)
    assert (found["Running"], found["ExitCode"], found["ProcessConfig"]["entrypoint"]) == (False, 4, "sh")
    with pytest.raises(Conflict, match="has already run"):
        execs.start(id)
    with pytest.raises(NotFound, match="no such exec instance"):
        execs.inspect("0" * 64)


def test_attach_sees_what_comes(engine: pyctr.Engine) -> None:
    container = engine.containers.run(
        "host", ["sh", "-c", "read line; echo got $line; exit 2"], interactive=True
    )
    session = container.attach(stdin=True)
    session.write(b"hello\n")
    from pyctr.api import collect

    result = collect(session)
    assert (result.exit_code, result.stdout) == (2, b"got hello\n")
    with pytest.raises(Conflict, match="start it first"):
        container.attach()


def test_detached_session_leaves_the_container_alone(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP)
    container.attach().close()
    assert container.status == "running"


def test_logs(engine: pyctr.Engine) -> None:
    container = engine.containers.run(
        "host", ["sh", "-c", "for i in 1 2 3; do echo $i; done; echo e >&2; sleep 0.1"]
    )
    assert b"".join(piece for _, piece in container.follow()) == b"1\n2\n3\ne\n"
    assert container.logs(tail=2) == b"3\ne\n"
    assert container.logs(stderr=False) == b"1\n2\n3\n"
    assert container.logs(stdout=False) == b"e\n"
    with pytest.raises(InvalidParameter, match="at least one stream"):
        container.logs(stdout=False, stderr=False)


def test_top_and_stats(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", ["sh", "-c", "sleep 1000 & exec sleep 1001"])
    pid = container.attrs["State"]["Pid"]
    found = container.top()
    column = found["Titles"].index("PID")
    assert str(pid) in [process[column] for process in found["Processes"]]
    assert len(container.top("-o pid,comm")["Processes"]) == 2
    with pytest.raises(InvalidParameter, match="PID field"):
        container.top("-o comm")
    stats = container.stats()
    assert stats["pids_stats"]["current"] == 2
    assert 0 < stats["memory_stats"]["usage"] < stats["memory_stats"]["limit"]
    assert stats["cpu_stats"]["system_cpu_usage"] > stats["cpu_stats"]["cpu_usage"]["total_usage"] > 0
    documents = engine.backend.containers.stats(container.id)
    first, second = next(documents), next(documents)
    assert second["precpu_stats"] == first["cpu_stats"]
    container.kill()
    container.wait()
    assert list(documents) == []


def test_limits_hold_and_update_changes_them(engine: pyctr.Engine) -> None:
    limits = {"Memory": 32 << 20, "MemorySwap": 32 << 20, "PidsLimit": 50, "NanoCpus": 500_000_000}
    container = engine.containers.run("host", SLEEP, host_config=limits)
    assert container.stats()["memory_stats"]["limit"] == 32 << 20
    assert container.stats()["pids_stats"]["limit"] == 50
    with pytest.raises(Conflict, match="memoryswap"):
        container.update(Memory=64 << 20)
    container.update(Memory=64 << 20, MemorySwap=64 << 20, PidsLimit=60)
    assert container.stats()["memory_stats"]["limit"] == 64 << 20
    assert container.stats()["pids_stats"]["limit"] == 60
    host = container.attrs["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (64 << 20, 500_000_000, 60)


def test_out_of_memory_is_told(engine: pyctr.Engine) -> None:
    limits = {"Memory": 20 << 20, "MemorySwap": 20 << 20}
    container = engine.containers.run("host", ["tail", "/dev/zero"], host_config=limits)
    assert container.wait() == 137
    assert container.attrs["State"]["OOMKilled"] is True


def archived(local: LocalEngine, id: str, path: str) -> dict[str, bytes | None]:
    with tempfile.TemporaryFile() as file:
        local.containers.archive_get(id, path, file.fileno())
        file.seek(0)
        with tarfile.open(fileobj=file) as archive:
            members = archive.getmembers()
            return {
                m.name: (archive.extractfile(m) or io.BytesIO()).read() if m.isfile() else None
                for m in members
            }


def put(local: LocalEngine, id: str, path: str, name: str, content: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            member = tarfile.TarInfo(name)
            member.size, member.uid, member.gid = len(content), 12, 34
            archive.addfile(member, io.BytesIO(content))
        file.seek(0)
        local.containers.archive_put(id, path, file.fileno())


@pytest.mark.parametrize("running", [True, False])
def test_files_in_and_out(engine: pyctr.Engine, local: LocalEngine, running: bool) -> None:
    container = engine.containers.run(
        "host", ["sh", "-c", "mkdir /srv/d; ln -s /etc /srv/link; exec sleep 1000"]
    )
    while not any(change["Path"] == "/srv/link" for change in container.changes()):
        pass
    if not running:
        container.stop(timeout=0)
    put(local, container.id, "/srv/d", "file", b"content")
    assert archived(local, container.id, "/srv/d") == {"d": None, "d/file": b"content"}
    assert archived(local, container.id, "/srv/d/.") == {"file": b"content"}
    assert archived(local, container.id, "/srv/d/file") == {"file": b"content"}
    found = local.containers.archive_stat(container.id, "/srv/link")
    assert (found["linkTarget"], found["mode"] >> 27) == ("/etc", 1)
    assert local.containers.archive_stat(container.id, "/srv/link/")["mode"] >> 31 == 1
    assert list(archived(local, container.id, "/srv/link/hostname")) == ["hostname"]
    for path in ("/nope", "/etc/passwd/x"):
        with pytest.raises(NotFound, match=f"could not find the file {path}"):
            archived(local, container.id, path)
    with pytest.raises(InvalidParameter, match="not a directory"):
        put(local, container.id, "/srv/d/file", "x", b"")
    if running:
        assert container.exec(["stat", "-c", "%u %g", "/srv/d/file"]).stdout == b"0 0\n"


def test_a_link_to_the_outside_stays_inside(engine: pyctr.Engine, local: LocalEngine, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    script = f"rm -rf /opt; ln -s {secret} /opt; ln -s ../../../../..{secret} /srv/up; exec sleep 1000"
    container = engine.containers.run("host", ["sh", "-c", script])
    while not any(change["Path"] == "/srv/up" for change in container.changes()):
        pass
    for path in ("/opt/", "/srv/up"):
        put(local, container.id, path, "file", b"x")  # the image host has the same path inside
    assert os.listdir(secret) == []


def test_changes(engine: pyctr.Engine) -> None:
    container = engine.containers.create(
        "host", ["sh", "-c", "echo x > /etc/new; rm /etc/hostname; chmod 700 /srv"]
    )
    container.start()
    container.wait()
    assert {"Path": "/etc/new", "Kind": 1} in container.changes()
    assert {"Path": "/srv", "Kind": 0} in container.changes()
    assert not Path("/etc/new").exists()


def test_events_tell_the_life(engine: pyctr.Engine) -> None:
    engine.run("host", "true", name="web")
    actions = [event["Action"] for event in engine.events(since="1h", until="0s")]
    assert actions == ["create", "start", "die", "destroy"]
    assert list(engine.events(since="1h", until="0s", filters={"container": ["db"]})) == []


def test_info_counts(engine: pyctr.Engine) -> None:
    engine.containers.run("host", SLEEP)
    engine.containers.create("host", "true")
    info = engine.info()
    assert (info["Containers"], info["ContainersRunning"], info["ContainersStopped"]) == (2, 1, 1)
    assert os.access(info["PyctrOciPath"], os.X_OK)


def test_events_are_seen_as_they_happen(engine: pyctr.Engine) -> None:
    end = str(time.time() + 3)
    seen: list[str] = []
    watcher = threading.Thread(target=lambda: seen.extend(e["Action"] for e in engine.events(until=end)))
    watcher.start()
    time.sleep(0.3)
    engine.containers.run("host", "true")  # nobody waits for its end but the watcher
    watcher.join()
    assert seen == ["create", "start", "die"]


def test_groups_by_name_are_the_containers_own(engine: pyctr.Engine) -> None:
    host = {"GroupAdd": ["audio", "1234"]}
    result = engine.run("host", ["id", "-G"], user="nobody", host_config=host)
    assert {b"29", b"1234", b"65534"} <= set(result.stdout.split())
    with pytest.raises(InvalidParameter, match="unable to find group nosuch"):
        engine.run("host", "true", host_config={"GroupAdd": ["nosuch"]})


def test_input_waits_for_the_first_who_attaches(engine: pyctr.Engine) -> None:
    body = {
        "Image": "host",
        "Cmd": ["cat"],
        "OpenStdin": True,
        "StdinOnce": True,
        "HostConfig": {"NetworkMode": "none"},
    }
    id = engine.backend.containers.create(body)["Id"]  # type: ignore[arg-type]
    engine.backend.containers.start(id)
    session = engine.backend.containers.attach(id, stdin=True)
    assert session.write(b"still open") > 0
    while session.receive() != [(1, b"still open")]:
        assert not session.ended
    session.close()
    engine.containers.get(id).remove(force=True)
