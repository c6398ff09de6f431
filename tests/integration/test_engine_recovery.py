"""Whatever is killed at whatever moment: the next command finds the host clean and says what happened."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import pyctr
from pyctr import _core
from pyctr.engine.container.start import spawn
from pyctr.engine.local import LocalEngine
from pyctr.engine.session import ask
from pyctr.errors import Conflict, ContainerNotFound, DamagedStore
from pyctr.store import names, owner

pytestmark = pytest.mark.root

SLEEP = ["sleep", "1000"]
ROUNDS = 12
DEAD = "1:1"
"""A claim of a process that is not there: pid 1 did not start in the first tick."""

RUN = """
import sys, pyctr
engine = pyctr.Engine(sys.argv[1], sys.argv[2])
print("ready", flush=True)
for turn in range(1000):
    engine.run("host", ["sh", "-c", "exit 3"])
    engine.containers.run("host", ["sleep", "1000"]).remove(force=True)
"""


def supervisor(local: LocalEngine, id: str) -> int:
    return int(Path(local.core.paths.shim_lock(id)).read_text())


def fresh(local: LocalEngine) -> pyctr.Engine:
    """The same store, as the next command sees it."""
    return pyctr.Engine(local.core.paths.root, local.core.paths.run_root)


def test_killed_engines_leave_nothing(engine: pyctr.Engine, local: LocalEngine) -> None:
    engine.run("host", "true")
    arguments = [sys.executable, "-c", RUN, local.core.paths.root, local.core.paths.run_root]
    for _ in range(ROUNDS):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(random.uniform(0, 0.15))
            process.kill()
        with fresh(local) as after:
            for container in after.containers.list(all=True):
                with contextlib.suppress(ContainerNotFound):  # one that ends by itself may be gone by now
                    assert container.status in ("created", "running", "exited")
                    container.remove(force=True)
    # The fixture looks for what is left.


def test_a_killed_supervisor_makes_a_dead_container(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.run("host", SLEEP)
    pid = container.attrs["State"]["Pid"]
    os.kill(supervisor(local, container.id), signal.SIGKILL)
    _core.wait_lock(local.core.paths.shim_lock(container.id), 10)
    state = container.attrs["State"]
    assert (state["Status"], state["Dead"], state["ExitCode"], state["Pid"]) == ("dead", True, 137, 0)
    assert "supervisor was killed" in state["Error"]
    assert owner.start_time(pid) == 0
    assert not list(Path("/sys/fs/cgroup").glob(f"*/pyctr/{container.id}"))
    container.remove()


def test_a_dead_container_starts_again(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.run("host", SLEEP)
    os.kill(supervisor(local, container.id), signal.SIGKILL)
    _core.wait_lock(local.core.paths.shim_lock(container.id), 10)
    container.start()
    assert container.status == "running"


def test_stop_of_a_container_whose_supervisor_is_killed(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.run("host", SLEEP)
    os.kill(supervisor(local, container.id), signal.SIGKILL)
    container.remove(force=True)
    assert engine.containers.list(all=True) == []


def test_after_a_reboot(engine: pyctr.Engine, local: LocalEngine) -> None:
    kept = engine.containers.run("host", SLEEP, name="kept")
    gone = engine.containers.run("host", SLEEP, name="gone", remove=True)
    for container in (kept, gone):
        os.kill(supervisor(local, container.id), signal.SIGKILL)
        _core.wait_lock(local.core.paths.shim_lock(container.id), 10)
        local.core.containers.set(container.id, boot="another-boot")
        _core.cgroup_remove(f"/pyctr/{container.id}")
    with fresh(local) as after:
        assert [container.id for container in after.containers.list(all=True)] == [kept.id]
        state = after.containers.get("kept").attrs["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 255)


def test_an_ended_container_is_seen_by_whoever_comes(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.run("host", ["sh", "-c", "exit 6"])
    removed = engine.containers.run("host", "true", remove=True)
    for one in (container, removed):
        _core.wait_lock(local.core.paths.shim_lock(one.id), 10)
    with fresh(local) as after:
        assert [one.id for one in after.containers.list(all=True)] == [container.id]
        assert after.containers.get(container.id).attrs["State"]["ExitCode"] == 6


@pytest.mark.parametrize("state", ["creating", "removing"])
def test_what_a_dead_process_left_half_done_goes(
    engine: pyctr.Engine, local: LocalEngine, state: str
) -> None:
    container = engine.containers.create("host", "true", volumes=["data:/data"])
    local.core.containers.set(container.id, state=state, owner=DEAD)
    with fresh(local) as after:
        assert after.containers.list(all=True) == []
        with pytest.raises(ContainerNotFound):
            after.containers.get(container.id)


def test_a_start_that_died_is_undone(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.create("host", SLEEP)
    os.mkdir(local.core.paths.bundle(container.id))
    local.core.containers.set(container.id, state="starting", owner=DEAD)
    with fresh(local) as after:
        again = after.containers.get(container.id)
        assert again.status == "created"
        assert not os.path.exists(local.core.paths.bundle(container.id))
        again.start()
        assert again.status == "running"


@pytest.mark.parametrize("state", ["creating", "starting"])
def test_a_container_whose_starter_died_runs_on(engine: pyctr.Engine, local: LocalEngine, state: str) -> None:
    container = engine.containers.run("host", SLEEP)
    pid = container.attrs["State"]["Pid"]
    local.core.containers.set(container.id, state=state, owner=DEAD, pid=0, started=0)
    with fresh(local) as after:
        found = after.containers.get(container.id).attrs["State"]
        assert (found["Status"], found["Pid"]) == ("running", pid)
        assert found["StartedAt"] > "2020"


def test_a_living_claim_is_respected(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.create("host", "true")
    local.core.containers.set(container.id, state="creating", owner=owner.me())
    with fresh(local) as after:
        assert after.containers.get(container.id).status == "created"
    local.core.containers.set(container.id, state="created", owner="")


def test_rubbish_is_swept_and_the_work_of_the_living_is_not(engine: pyctr.Engine, local: LocalEngine) -> None:
    engine.run("host", "true")
    paths = local.core.paths
    mine = f"{paths.tmp}/{owner.me()}.abc"
    for path in (f"{paths.trash}/x/deep/er", f"{paths.tmp}/{DEAD}.abc/x", mine):
        os.makedirs(path)
    with fresh(local) as after:
        after.containers.list()
    assert os.listdir(paths.trash) == []
    assert os.listdir(paths.tmp) == [os.path.basename(mine)]
    os.rmdir(mine)


def test_a_container_without_its_files_can_be_removed(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.create("host", "true")
    for path in (
        local.core.paths.container(container.id),
        f"{local.core.paths.root}/overlay2/{container.id}",
    ):
        subprocess.run(["rm", "-rf", path], check=True)
    assert container.status == "created"
    container.remove()


def test_removing_at_once_from_many_processes(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.run("host", SLEEP, name=names.random_name())
    script = "import sys, pyctr; pyctr.Engine(*sys.argv[1:3]).containers.get(sys.argv[3]).remove(force=True)"
    arguments = [sys.executable, "-c", script, local.core.paths.root, local.core.paths.run_root, container.id]
    processes = [subprocess.Popen(arguments, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate()[1] for process in processes]
    assert 0 in [process.returncode for process in processes]
    assert all(b"ContainerNotFound" in error or b"Conflict" in error for error in errors if error), errors
    assert engine.containers.list(all=True) == []


def test_directories_that_no_row_names_go(engine: pyctr.Engine, local: LocalEngine) -> None:
    kept = engine.containers.create("host", "true")
    paths, orphan = local.core.paths, names.new_id()
    for path in (paths.container(orphan), paths.bundle(orphan)):
        os.makedirs(f"{path}/deep")
    with fresh(local) as after:
        assert after.containers.list(all=True) == [kept]
    assert os.listdir(paths.containers) == [kept.id]
    assert os.listdir(paths.run_containers) == []


def test_a_bundle_left_by_who_saw_the_end_goes(engine: pyctr.Engine, local: LocalEngine) -> None:
    """Whoever writes down that a container ended may be killed before it has removed the bundle."""
    container = engine.containers.run("host", ["sh", "-c", "exit 6"])
    assert container.wait() == 6
    os.makedirs(f"{local.core.paths.bundle(container.id)}/deep")
    with fresh(local) as after:
        assert [each.status for each in after.containers.list(all=True)] == ["exited"]
    assert os.listdir(local.core.paths.run_containers) == []
    assert container.attrs["State"]["ExitCode"] == 6


def test_a_supervisor_that_is_not_told_to_start_touches_nothing(local: LocalEngine) -> None:
    """Its engine died, or found that the container cannot be made."""
    id = names.new_id()

    def lives() -> bool:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if id.encode() in (process / "cmdline").read_bytes():
                    return True
        return False

    session = spawn(local.core, id)
    assert lives()
    session.close()
    deadline = time.monotonic() + 20
    while lives():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not os.path.exists(local.core.paths.bundle(id))


def test_a_running_container_is_not_started_again(engine: pyctr.Engine, local: LocalEngine) -> None:
    container = engine.containers.run("host", SLEEP)
    with pytest.raises(Conflict, match="started already"):
        ask(local.core.paths.bundle(container.id), {"op": "start"})
    container.remove(force=True)


def test_a_damaged_record_is_named_and_can_be_removed(engine: pyctr.Engine, local: LocalEngine) -> None:
    damaged = engine.containers.run("host", SLEEP, name="damaged")
    local.core.containers.set(damaged.id, doc='{"Config": ')
    sound = engine.containers.run("host", SLEEP, name="sound")
    assert engine.containers.list() == [sound, damaged]
    with pytest.raises(DamagedStore, match=r"container damaged in .*meta\.db is damaged"):
        _ = damaged.attrs
    damaged.remove(force=True)
    assert sound.status == "running"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_exit_record_counts_as_none(
    engine: pyctr.Engine, local: LocalEngine, content: bytes
) -> None:
    container = engine.containers.run("host", ["sh", "-c", "exit 6"])
    _core.wait_lock(local.core.paths.shim_lock(container.id), 10)
    Path(local.core.paths.exit(container.id, 0)).write_bytes(content)
    assert container.status == "dead"
    container.remove()


@pytest.mark.parametrize("remove", [True, False])
def test_an_interrupted_start_leaves_nothing_running(
    engine: pyctr.Engine, monkeypatch: pytest.MonkeyPatch, remove: bool
) -> None:
    def interrupt(text: str) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("pyctr.engine.container.start.parse_rfc3339", interrupt)
    with pytest.raises(KeyboardInterrupt):
        engine.containers.run("host", SLEEP, name="web", remove=remove)
    assert [container.status for container in engine.containers.list(all=True)] == (
        [] if remove else ["created"]
    )
