"""``run`` and its relatives on real containers: output, exit codes, signals, files."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.test_cli.conftest import Pyctr

pytestmark = pytest.mark.root


def test_output_and_exit_code(pyctr: Pyctr) -> None:
    done = pyctr("run", "--rm", "--net=none", "busybox", "sh", "-c", "echo out; echo err >&2; exit 42")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 42)
    assert pyctr.ok("ps", "-aq") == ""


@pytest.mark.parametrize(
    ("argv", "code"),
    [(["nosuch"], 127), (["/etc/passwd"], 126), (["-u", "nobody-here"], 125), (["--net=moon"], 125)],
)
def test_what_cannot_start(pyctr: Pyctr, argv: list[str], code: int) -> None:
    options, command = (argv, ["true"]) if argv[0].startswith("-") else ([], argv)
    done = pyctr("run", "--rm", "--net=none", *options, "busybox", *command)
    assert done.returncode == code
    assert done.stdout == b""
    assert done.stderr.startswith(b"pyctr: ")
    assert done.stderr.endswith(b"Run 'pyctr run --help' for more information\n")
    assert pyctr.ok("ps", "-aq") == ""


def test_a_missing_image(pyctr: Pyctr) -> None:
    done = pyctr("run", "nosuch")
    assert done.returncode == 125
    assert b"no such image" in done.stderr


def test_input_goes_through(pyctr: Pyctr) -> None:
    data = bytes(range(256)) * 8192
    done = pyctr("run", "--rm", "-i", "--net=none", "busybox", "cat", stdin=data)
    assert done.stdout == data
    assert done.returncode == 0


def test_a_container_that_ignores_its_input_ends_all_the_same(pyctr: Pyctr) -> None:
    done = pyctr("run", "--rm", "-i", "--net=none", "busybox", "true", stdin=b"x" * (1 << 20))
    assert done.returncode == 0


def test_signals_are_passed_on(pyctr: Pyctr) -> None:
    script = "trap 'echo usr1' USR1; trap 'echo int; exit 5' INT; echo ready; while :; do sleep 0.05; done"
    process = pyctr.start("run", "--rm", "--net=none", "busybox", "sh", "-c", script)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == b"usr1\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == (b"int\n", b"", 5)


def test_death_by_signal(pyctr: Pyctr) -> None:
    process = pyctr.start(
        "run", "--name", "victim", "--net=none", "busybox", "sh", "-c", "echo ready; sleep 100"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    assert pyctr.ok("kill", "victim") == "victim\n"
    process.communicate(timeout=60)
    assert process.returncode == 137
    assert pyctr.ok("wait", "victim") == "137\n"


def test_a_reader_that_leaves(pyctr: Pyctr) -> None:
    process = pyctr.start(
        "run", "--name", "talker", "--net=none", "busybox", "sh", "-c", "while :; do echo x; done"
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141


def test_detached(pyctr: Pyctr, tmp_path: Path) -> None:
    cid = tmp_path / "cid"
    printed = pyctr.ok(
        "run", "-d", "--name", "web", "--cidfile", str(cid), "--net=none", "busybox", "sleep", "100"
    )
    assert printed == f"{cid.read_text()}\n"
    assert len(cid.read_text()) == 64
    assert pyctr.ok("ps", "-q") == f"{printed[:12]}\n"
    line = pyctr.ok("ps").splitlines()[1]
    assert line.startswith(printed[:12])
    assert "busybox" in line
    assert line.endswith("web")
    assert pyctr.ok("stop", "-t", "0", "web") == "web\n"
    assert pyctr.ok("ps", "-q") == ""
    assert "Exited (137)" in pyctr.ok("ps", "-a")
    assert pyctr.ok("start", "web") == "web\n"
    assert pyctr.ok("restart", "-t", "0", "web") == "web\n"
    assert pyctr("rm", "web").returncode == 1
    assert pyctr.ok("rm", "-f", "web") == "web\n"


def test_logs(pyctr: Pyctr) -> None:
    script = "echo one; echo two >&2; sleep 0.2; echo three; printf four"
    pyctr.ok("run", "--name", "box", "--net=none", "busybox", "sh", "-c", script)
    done = pyctr("logs", "box")
    assert (done.stdout, done.stderr) == (b"one\nthree\nfour", b"two\n")
    assert pyctr.ok("logs", "-n", "2", "box") == "three\nfour"
    stamped = pyctr.ok("logs", "-t", "box").splitlines()
    assert stamped[0].endswith("Z one")


def test_logs_follow(pyctr: Pyctr) -> None:
    pyctr.ok(
        "run",
        "-d",
        "--name",
        "box",
        "--net=none",
        "busybox",
        "sh",
        "-c",
        "for i in 1 2 3; do echo $i; sleep 0.2; done",
    )
    done = pyctr("logs", "-f", "box")
    assert (done.stdout, done.returncode) == (b"1\n2\n3\n", 0)


def test_exec(pyctr: Pyctr) -> None:
    pyctr.ok("run", "-d", "--name", "box", "-e", "A=1", "--net=none", "busybox", "sleep", "100")
    done = pyctr(
        "exec", "-e", "B=2", "-w", "/tmp", "box", "sh", "-c", "echo $A $B $PWD; echo err >&2; exit 7"
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"1 2 /tmp\n", b"err\n", 7)
    assert pyctr("exec", "-i", "box", "cat", stdin=b"through").stdout == b"through"
    assert pyctr.ok("exec", "-u", "web", "box", "id", "-u") == "33\n"
    assert pyctr("exec", "box", "nosuch").returncode == 127
    assert pyctr("exec", "nosuch", "true").returncode == 1
    pyctr.ok("exec", "-d", "box", "sh", "-c", "echo later > /tmp/later")
    deadline = time.monotonic() + 30
    while pyctr("exec", "box", "cat", "/tmp/later").stdout != b"later\n":
        assert time.monotonic() < deadline


def test_start_attached(pyctr: Pyctr) -> None:
    pyctr.ok("create", "--name", "box", "-i", "--net=none", "busybox", "sh", "-c", "cat; exit 3")
    done = pyctr("start", "-ai", "box", stdin=b"hello")
    assert (done.stdout, done.returncode) == (b"hello", 3)
    done = pyctr("start", "-a", "box", "d")
    assert b"you cannot start and attach multiple containers at once" in done.stderr


def test_attach(pyctr: Pyctr) -> None:
    pyctr.ok(
        "run", "-d", "-i", "--name", "box", "--net=none", "busybox", "sh", "-c", "read x; echo got $x; exit 4"
    )
    done = pyctr("attach", "box", stdin=b"it\n")
    assert (done.stdout, done.returncode) == (b"got it\n", 4)
    done = pyctr("attach", "box")
    assert done.returncode == 1
    assert b"cannot attach to a stopped container, start it first" in done.stderr


def test_inspect_templates(pyctr: Pyctr) -> None:
    pyctr.ok("run", "-d", "--name", "box", "-l", "a=1", "-m", "64m", "--net=none", "busybox", "sleep", "100")
    fields = [".Name", ".State.Status", ".HostConfig.Memory", ".Config.Cmd", ".State.Health"]
    form = " ".join(f"{{{{{field}}}}}" for field in fields) + ' {{index .Config.Labels "a"}}'
    assert pyctr.ok("inspect", "-f", form, "box") == "/box running 67108864 [sleep 100] <nil> 1\n"
    document = json.loads(pyctr.ok("inspect", "box"))[0]
    assert document["State"]["Pid"] > 1
    assert json.loads(pyctr.ok("inspect", "-f", "{{json .State}}", "box")) == document["State"]
    assert pyctr.ok("ps", "--format", "{{.Names}}:{{.State}}", "--filter", "label=a=1") == "box:running\n"
    assert pyctr.ok("ps", "-q", "--filter", "label=a=2") == ""


def test_other_verbs(pyctr: Pyctr) -> None:
    pyctr.ok("run", "-d", "--name", "box", "--net=none", "busybox", "sleep", "100")
    assert pyctr.ok("pause", "box") == "box\n"
    assert "(Paused)" in pyctr.ok("ps")
    assert pyctr.ok("unpause", "box") == "box\n"
    assert "sleep 100" in pyctr.ok("top", "box")
    pyctr.ok("exec", "box", "touch", "/tmp/new")
    changes = pyctr.ok("diff", "box").splitlines()
    assert "C /tmp" in changes
    assert "A /tmp/new" in changes
    assert pyctr.ok("update", "-m", "128m", "box") == "box\n"
    assert pyctr.ok("inspect", "-f", "{{.HostConfig.Memory}}", "box") == "134217728\n"
    stats = pyctr.ok("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}", "box")
    assert stats.startswith("box ")
    assert "/ 128MiB 1\n" in stats
    pyctr.ok("rename", "box", "new")
    assert pyctr("inspect", "box").returncode == 1
    actions = [line.split()[2] for line in pyctr.ok("events", "--since", "10m", "--until", "0s").splitlines()]
    for action in ("create", "start", "pause", "unpause", "rename"):
        assert action in actions


def test_export_and_import(pyctr: Pyctr, tmp_path: Path) -> None:
    pyctr.ok("run", "--name", "box", "--net=none", "busybox", "sh", "-c", "echo hi > /tmp/x")
    pyctr.ok("export", "-o", str(tmp_path / "out.tar"), "box")
    image = pyctr.ok("import", "-c", 'CMD ["cat", "/tmp/x"]', str(tmp_path / "out.tar"), "copy:1").strip()
    assert image.startswith("sha256:")
    assert pyctr.ok("run", "--rm", "--net=none", "copy:1") == "hi\n"
    pyctr.ok("tag", "copy:1", "other")
    assert "other" in pyctr.ok("images", "--format", "{{.Repository}}")
    assert "Untagged: " in pyctr.ok("rmi", "other")
    assert "Deleted: " in pyctr.ok("rmi", "copy:1")


def test_cp(pyctr: Pyctr, tmp_path: Path) -> None:
    pyctr.ok("run", "-d", "--name", "box", "--net=none", "busybox", "sleep", "100")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "file").write_text("text")
    pyctr.ok("cp", str(tree), "box:/tmp/new")
    pyctr.ok("cp", str(tree), "box:/tmp/new")
    pyctr.ok("cp", f"{tree}/.", "box:/root")
    listed = pyctr.ok("exec", "box", "find", "/tmp/new", "/root", "-type", "f").split()
    assert sorted(listed) == ["/root/sub/file", "/tmp/new/sub/file", "/tmp/new/tree/sub/file"]
    pyctr.ok("cp", "box:/tmp/new/sub/file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "text"
    pyctr.ok("cp", "box:/tmp/new", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "tree" / "sub" / "file").read_text() == "text"
    pyctr.ok("cp", "box:/root/.", str(tmp_path / "contents"))
    assert (tmp_path / "contents" / "sub" / "file").read_text() == "text"
    archive = pyctr("cp", "box:/etc/passwd", "-").stdout
    assert archive[:6] == b"passwd"
    assert pyctr("cp", "-", "box:/root", stdin=archive).returncode == 0
    assert "web:x:33" in pyctr.ok("exec", "box", "cat", "/root/passwd")
    assert pyctr("cp", str(tree), "box:/etc/passwd").returncode == 1
    assert pyctr("cp", "box:/none", str(tmp_path)).returncode == 1
    assert not list(tmp_path.glob(".pyctr-cp-*"))


def test_volumes(pyctr: Pyctr) -> None:
    assert pyctr.ok("volume", "create", "--label", "a=b", "data") == "data\n"
    pyctr.ok("run", "--rm", "-v", "data:/d", "--net=none", "busybox", "touch", "/d/x")
    assert pyctr.ok("run", "--rm", "-v", "data:/d:ro", "--net=none", "busybox", "ls", "/d") == "x\n"
    assert pyctr.ok("volume", "ls", "-q") == "data\n"
    assert pyctr.ok("volume", "inspect", "-f", "{{.Labels}}", "data") == "map[a:b]\n"
    assert pyctr.ok("volume", "rm", "data") == "data\n"
    assert pyctr("volume", "rm", "data").returncode == 1


def test_limits_hold(pyctr: Pyctr) -> None:
    limits = ["-m", "16m", "--memory-swap", "16m", "--net=none"]
    done = pyctr("run", "--name", "box", *limits, "busybox", "tail", "-c", "300m", "/dev/zero")
    assert done.returncode == 137
    assert pyctr.ok("inspect", "-f", "{{.State.OOMKilled}}", "box") == "true\n"
