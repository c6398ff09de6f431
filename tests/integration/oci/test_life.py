"""The life of a container: create, start, state, kill, delete, run, list, ps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from tests.integration.oci.runtime import Runtime, until

pytestmark = [pytest.mark.root, pytest.mark.v2]


def test_create_start_kill_delete(oci: Runtime) -> None:
    """Every step changes the status, and the program runs only after start."""
    bundle = oci.bundle("echo started > /tmp/started; exec sleep 60").set("annotations", {"a.b": "c"})
    name = oci.name()
    streams = {"capture_output": False, "stdout": subprocess.DEVNULL}
    oci("create", "--bundle", bundle.write(), "--pid-file", str(oci.base / "pid"), name, **streams)
    state = oci.inspect(name)
    assert state["status"] == "created"
    assert state["id"] == name
    assert state["bundle"] == str(bundle.path)
    assert state["annotations"] == {"a.b": "c"}
    assert state["rootfs"] == str(bundle.rootfs)
    assert state["owner"] == "root"
    assert datetime.fromisoformat(state["created"]).tzinfo
    assert (oci.base / "pid").read_text() == str(state["pid"])
    assert not (bundle.rootfs / "tmp/started").exists()
    oci("start", name)
    until((bundle.rootfs / "tmp/started").exists, "the program to run")
    assert oci.inspect(name) == state | {"status": "running"}
    assert "is running" in oci.refuse("delete", name)
    oci("kill", name, "KILL")
    oci.wait(name)
    assert "pid" not in oci.inspect(name)
    oci("delete", name)
    assert oci.refuse("state", name) == f"container {name} does not exist"
    assert not (oci.state / name).exists()


def test_a_created_container_can_be_deleted(oci: Runtime) -> None:
    """Its program never ran, so nobody has to be asked."""
    name = oci.name()
    oci("create", "--bundle", oci.bundle("true").write(), name, capture_output=False)
    pid = oci.inspect(name)["pid"]
    oci("delete", name)
    assert not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_the_bundle_is_the_working_directory_by_default(oci: Runtime) -> None:
    """As the specification's command line has it; a document of another name is given by --config."""
    bundle = oci.bundle("echo", "here")
    bundle.write()
    assert oci("run", oci.name(), cwd=bundle.path) == "here\n"
    bundle.set("process.args", ["echo", "there"]).write("other.json")
    path = str(bundle.path / "other.json")
    assert oci("run", "--bundle", str(bundle.path), "--config", path, oci.name()) == "there\n"
    assert oci("run", "-b", str(bundle.path), "-f", path, oci.name()) == "there\n"


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -TERM $$", 143)]
)
def test_run_ends_as_its_program(oci: Runtime, script: str, status: int) -> None:
    """The exit status of run is that of the program; 128 and the signal's number if one killed it."""
    bundle = oci.bundle(f"echo out; echo err >&2; {script}")
    # As the first process it would not die of its own signals.
    bundle.document["linux"]["namespaces"].remove({"type": "pid"})
    done = oci.call("run", "--bundle", bundle.write(), oci.name())
    assert (done.returncode, done.stdout, done.stderr) == (status, "out\n", "err\n")
    assert oci("list", "-q") == ""


def test_run_passes_input_and_signals_on(oci: Runtime) -> None:
    """Standard input is the caller's own, and a signal for the runtime is one for the program."""
    assert oci.run(oci.bundle("cat"), stdin=None, input="text") == "text"
    bundle = oci.bundle("trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.01; done")
    words = oci.command("run", "--bundle", bundle.write(), oci.name())
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.read() == "got\n"
    assert process.returncode == 3


def test_keep_and_detach(oci: Runtime) -> None:
    """--keep leaves what has ended to be looked at; --detach does not wait for the end."""
    oci.run(oci.bundle("true"), "--keep", name="kept")
    assert oci.status(oci.name("kept")) == "stopped"
    name = oci.start(oci.bundle("sleep", "60"), "--pid-file", str(oci.base / "pid"))
    assert oci.status(name) == "running"
    assert oci.inspect(name)["pid"] == int((oci.base / "pid").read_text())
    assert "exists already" in oci.refuse(
        "run", "--bundle", str(oci.base), "--config", str(_config(oci)), name
    )


def _config(oci: Runtime) -> Path:
    bundle = oci.bundle("true")
    bundle.write()
    return bundle.path / "config.json"


def test_kill_takes_names_numbers_and_all(oci: Runtime) -> None:
    """Signals as people write them; the default is TERM, and --all reaches every process."""
    traps = 'for s in USR1 USR2 TERM; do trap "echo $s >> /tmp/log" $s; done; echo > /tmp/ready'
    bundle = oci.bundle(f"{traps}; while :; do sleep 0.01; done")
    name = oci.start(bundle)
    log = bundle.rootfs / "tmp/log"
    until((bundle.rootfs / "tmp/ready").exists, "the traps")
    for words, expected in [(["USR1"], "USR1"), (["SIGUSR2"], "USR2"), (["10"], "USR1"), ([], "TERM")]:
        log.write_text("")
        oci("kill", name, *words)
        until(lambda word=expected: log.read_text() == f"{word}\n", f"{expected} after {words}")
    oci("kill", "--all", name, "KILL")
    oci.wait(name)
    assert oci.refuse("kill", name, "NOPE") == 'unknown signal "NOPE"'
    assert "not running" in oci.refuse("kill", name, "TERM")


def test_delete_force_kills(oci: Runtime) -> None:
    """What is running goes with --force, and what is not there is no failure then."""
    name = oci.start(oci.bundle("sleep 61 & sleep 60"))
    pids = json.loads(oci("ps", "--format", "json", name))
    oci("delete", "--force", name)
    until(lambda: not any(Path(f"/proc/{pid}/root").exists() for pid in pids), "the processes to be gone")
    oci("delete", "--force", name)
    assert oci.refuse("delete", name) == f"container {name} does not exist"


def test_list(oci: Runtime) -> None:
    """As a table, as ids, as JSON; a state directory that is not there holds no containers."""
    assert oci("list", "-q") == ""
    assert oci("list", "--format", "json") == "[]\n"
    first, second = (oci.start(oci.bundle("sleep", "60"), name=name) for name in ("a", "b"))
    oci("kill", second, "KILL")
    oci.wait(second)
    assert oci("list", "--quiet").split() == [first, second]
    head, *rows = (line.split() for line in oci("list").splitlines())
    assert " ".join(head) == "ID PID STATUS BUNDLE CREATED OWNER"
    assert [(row[0], row[2], row[5]) for row in rows] == [
        (first, "running", "root"),
        (second, "stopped", "root"),
    ]
    states = json.loads(oci("list", "-f", "json"))
    assert [(state["id"], state["status"]) for state in states] == [(first, "running"), (second, "stopped")]
    assert "unknown format" in oci.refuse("list", "--format", "yaml")


def test_list_shows_a_broken_record_and_the_others(oci: Runtime) -> None:
    """One that cannot be read is named and hides no other."""
    name = oci.start(oci.bundle("sleep", "60"))
    (oci.state / "broken").mkdir()
    (oci.state / "broken/state.json").write_text("{")
    done = oci.call("list", "--quiet")
    assert (done.returncode, done.stdout) == (0, f"{name}\n")
    assert "broken/state.json" in done.stderr
    (oci.state / "broken/state.json").unlink()
    (oci.state / "broken").rmdir()


def test_ps(oci: Runtime) -> None:
    """Ids as JSON, or the lines of the host's ps with the columns asked for."""
    name = oci.start(oci.bundle("sleep 61 & sleep 60"))
    until(lambda: len(json.loads(oci("ps", "-f", "json", name))) == 2, "a child")
    pids = json.loads(oci("ps", "--format", "json", name))
    assert oci.inspect(name)["pid"] in pids
    head, *lines = oci("ps", name, "-o", "pid,args").splitlines()
    assert head.split() == ["PID", "COMMAND"]
    assert {int(line.split()[0]) for line in lines} == set(pids)
    assert any(line.endswith("sleep 61") for line in lines)
    assert "no column PID" in oci.refuse("ps", name, "-o", "args")


def test_descriptors(oci: Runtime) -> None:
    """--preserve-fds hands on those that are open among the first N, and nothing else, not even ours."""
    bundle = oci.bundle("ls /proc/self/fd; cat /proc/self/fd/3")
    reader, writer = os.pipe()
    kept, other = os.memfd_create("kept", 0), os.memfd_create("other", 0)
    os.write(kept, b"kept")
    for count, expected in [(1, "0 1 2 3 4"), (100, "0 1 2 3 4 5")]:
        words = oci.command("run", "--bundle", bundle.write(), "--preserve-fds", str(count), oci.name())
        # 3: kept, 5: other; 4 stays free, for the ls to open its directory.
        script = 'exec 3<>/proc/self/fd/$1 5<>/proc/self/fd/$2; eval "exec $1>&- $2>&-"; shift 2; exec "$@"'
        done = subprocess.run(
            ["bash", "-c", script, "bash", str(kept), str(other), *words],
            pass_fds=(kept, other), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        lines = done.stdout.split()
        assert (lines[-1], done.stderr) == ("kept", "")
        assert " ".join(lines[:-1]) == expected
    for descriptor in (reader, writer, kept, other):
        os.close(descriptor)


def test_socket_activation(oci: Runtime) -> None:
    """What LISTEN_FDS announces is handed on, and announced to the program."""
    bundle = oci.bundle("echo $LISTEN_FDS $LISTEN_PID $$; cat /proc/self/fd/3")
    kept = os.memfd_create("kept", 0)
    os.write(kept, b"kept")
    words = ["bash", "-c", 'exec 3<>/proc/self/fd/$1; shift; exec "$@"', "bash", str(kept)]
    done = subprocess.run(
        [*words, *oci.command("run", "--bundle", bundle.write(), oci.name())],
        pass_fds=(kept,), env=os.environ | {"LISTEN_FDS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    os.close(kept)
    assert (done.stdout, done.stderr) == ("1 1 1\nkept", "")


def test_no_pivot_and_keyrings(oci: Runtime) -> None:
    """--no-pivot moves the root instead; --no-new-keyring stays in the caller's session keyring."""
    bundle = oci.bundle("ls / | tr '\\n' ' '")
    assert oci.run(bundle, "--no-pivot", "--no-subreaper") == "bin dev etc proc sys tmp "
    if not Path("/proc/keys").exists():
        return
    bundle = oci.bundle("cat /proc/keys")
    assert f"_ses.{oci.name()}" in oci.run(bundle)
    assert f"_ses.{oci.name('other')}" not in oci.run(bundle, "--no-new-keyring", name="other")
