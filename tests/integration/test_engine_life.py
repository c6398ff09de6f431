"""A container's life, from create to remove, through the Python API."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import pyctr
from pyctr import _core
from pyctr.errors import (
    Conflict,
    ContainerNotFound,
    ImageNotFound,
    InvalidParameter,
    NotModified,
    StartFailure,
)

pytestmark = pytest.mark.root

SLEEP = ["sleep", "1000"]


def test_run_gives_exit_code_and_output(engine: pyctr.Engine) -> None:
    result = engine.run("host", ["sh", "-c", "echo out; echo err >&2; exit 7"])
    assert (result.exit_code, result.stdout, result.stderr) == (7, b"out\n", b"err\n")
    assert engine.containers.list(all=True) == []


def test_run_feeds_input(engine: pyctr.Engine) -> None:
    data = bytes(range(256)) * 10_000
    result = engine.run("host", ["cat"], input=data)
    assert result.exit_code == 0
    assert result.stdout == data


@pytest.mark.parametrize(("command", "code"), [("nosuchprogram", 127), ("/etc/passwd", 126), ("/etc", 126)])
def test_what_cannot_start_says_why_and_leaves_nothing(engine: pyctr.Engine, command: str, code: int) -> None:
    with pytest.raises(StartFailure, match=command) as raised:
        engine.run("host", [command])
    assert raised.value.exit_code == code
    assert engine.containers.list(all=True) == []


def test_what_cannot_start_stays_created_without_rm(engine: pyctr.Engine) -> None:
    with pytest.raises(StartFailure) as raised:
        engine.containers.run("host", ["nosuchprogram"], name="web")
    container = engine.containers.get("web")
    assert raised.value.container_id == container.id
    state = container.attrs["State"]
    assert (state["Status"], state["ExitCode"]) == ("created", 127)
    assert "nosuchprogram" in state["Error"]


def test_a_whole_life(engine: pyctr.Engine) -> None:
    container = engine.containers.create("host", ["sh", "-c", "echo hello; exec sleep 1000"], name="web")
    assert container.status == "created"
    container.start()
    with pytest.raises(NotModified):
        container.start()
    attrs = container.attrs
    assert attrs["State"]["Status"] == "running"
    assert attrs["Name"] == "/web"
    assert (attrs["Path"], attrs["Args"][0]) == ("sh", "-c")
    pid = attrs["State"]["Pid"]
    assert Path(f"/proc/{pid}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink()
    with pytest.raises(Conflict, match="container is running: stop the container before removing"):
        container.remove()
    while container.logs() != b"hello\n":
        assert container.status == "running"
    container.stop(timeout=0)
    state = container.attrs["State"]
    assert (state["Status"], state["ExitCode"], state["Pid"]) == ("exited", 137, 0)
    with pytest.raises(NotModified):
        container.stop()
    container.start()
    while container.logs() != b"hello\nhello\n":
        assert container.status == "running"
    container.kill("SIGKILL")
    assert container.wait() == 137
    container.remove()
    with pytest.raises(ContainerNotFound):
        _ = container.attrs


def test_exit_codes_are_exact(engine: pyctr.Engine) -> None:
    for code in (0, 1, 37, 125, 255):
        assert engine.run("host", ["sh", "-c", f"exit {code}"]).exit_code == code
    assert engine.run("host", ["sh", "-c", "sh -c 'kill -9 $$'; exit $?"]).exit_code == 137


def test_pause_freezes_and_stop_works_on_the_paused(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", ["sh", "-c", "while :; do echo x; sleep 0.01; done"])
    container.pause()
    assert container.status == "paused"
    assert falls_silent(container)
    for call in (container.pause, lambda: container.exec("true"), container.attach):
        with pytest.raises(Conflict, match="paused"):
            call()
    container.unpause()
    assert container.status == "running"
    with pytest.raises(Conflict, match="not paused"):
        container.unpause()
    container.pause()
    container.stop(timeout=1)
    assert container.status == "exited"


def falls_silent(container: pyctr.Container) -> bool:
    """Whether the log stops growing, once what was on its way has arrived."""
    for _ in range(25):
        before = container.logs()
        time.sleep(0.2)
        if container.logs() == before:
            return True
    return False


def test_stop_asks_first(engine: pyctr.Engine) -> None:
    script = "trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.01; done"
    container = engine.containers.run("host", ["sh", "-c", script])
    ready(container)
    container.stop(timeout=20)
    assert container.attrs["State"]["ExitCode"] == 5
    assert container.logs() == b"ready\nasked\n"


def ready(container: pyctr.Container) -> None:
    for _, line in container.follow():
        if b"ready" in line:
            return


def test_stop_signal_of_the_container(engine: pyctr.Engine) -> None:
    script = "trap 'exit 6' USR1; echo ready; while :; do sleep 0.01; done"
    body = {
        "Image": "host",
        "Cmd": ["sh", "-c", script],
        "StopSignal": "SIGUSR1",
        "HostConfig": {"NetworkMode": "none"},
    }
    id, _, _ = engine.backend.containers.run(body, attach=False)  # type: ignore[arg-type]
    container = engine.containers.get(id)
    ready(container)
    container.stop(timeout=20)
    assert container.attrs["State"]["ExitCode"] == 6


def test_restart(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP)
    first = container.attrs["State"]["Pid"]
    container.restart(timeout=0)
    state = container.attrs["State"]
    assert state["Status"] == "running"
    assert state["Pid"] != first


def test_names(engine: pyctr.Engine) -> None:
    container = engine.containers.create("host", "true", name="web")
    with pytest.raises(Conflict, match=f'"/web" is already in use by container "{container.id}"'):
        engine.containers.create("host", "true", name="web")
    container.rename("db")
    assert engine.containers.get("db") == container
    assert engine.containers.get(container.id[:7]) == container
    with pytest.raises(InvalidParameter):
        engine.containers.create("host", "true", name="../etc")


def test_an_ended_rm_container_does_not_hold_its_name(engine: pyctr.Engine) -> None:
    first = engine.containers.run("host", "true", name="web", remove=True)
    supervisor = engine.backend.core.paths.shim_lock(first.id)  # type: ignore[attr-defined]
    assert _core.wait_lock(supervisor, 10)
    second = engine.containers.run("host", SLEEP, name="web", remove=True)
    assert engine.containers.list(all=True) == [second]


def test_unknown_image(engine: pyctr.Engine) -> None:
    with pytest.raises(ImageNotFound, match="nope:latest"):
        engine.run("nope", "true")


def test_one_name_for_many_at_once(engine: pyctr.Engine) -> None:
    outcomes: list[str] = []

    def create() -> None:
        try:
            engine.containers.create("host", "true", name="web")
        except Conflict:
            outcomes.append("conflict")
        else:
            outcomes.append("made")

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 15 + ["made"]


def test_runs_in_many_threads(engine: pyctr.Engine) -> None:
    results: list[tuple[int, bytes]] = []

    def run(number: int) -> None:
        for turn in range(3):
            result = engine.run("host", ["sh", "-c", f"echo {number}.{turn}; exit {number}"])
            results.append((result.exit_code, result.stdout))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted((n, f"{n}.{turn}\n".encode()) for n in range(6) for turn in range(3))


def test_wait_of_several(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", ["sh", "-c", "sleep 0.2; exit 9"], remove=True)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(container.wait())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [9, 9, 9, 9]


def test_remove_by_force(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", SLEEP)
    container.remove(force=True)
    assert engine.containers.list(all=True) == []


def test_prune_takes_what_does_not_run(engine: pyctr.Engine) -> None:
    engine.run("host", "true", remove=False)
    running = engine.containers.run("host", SLEEP)
    assert len(engine.containers.prune()["ContainersDeleted"] or []) == 1
    assert engine.containers.list(all=True) == [running]


def test_list_filters(engine: pyctr.Engine) -> None:
    web = engine.containers.run("host", SLEEP, name="web", labels={"tier": "front"})
    old = engine.containers.create("host", "true", name="old")
    every = [
        ({"name": ["we"]}, [web]),
        ({"status": ["created"]}, [old]),
        ({"label": ["tier"]}, [web]),
        ({"label": ["tier=back"]}, []),
        ({"ancestor": ["host"]}, [old, web]),
        ({"id": [web.id[:4]]}, [web]),
        ({"since": ["web"]}, [old]),
        ({"before": ["old"]}, [web]),
        ({"exited": ["0"]}, []),
    ]
    for filters, expected in every:
        assert engine.containers.list(all=True, filters=filters) == expected, filters
    assert engine.containers.list() == [web]
    with pytest.raises(InvalidParameter, match="invalid filter 'colour'"):
        engine.containers.list(filters={"colour": ["red"]})
