"""Whole command lines over an engine that is told what to answer: what is printed, and the exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

import pyctr.engine
from pyctr.cli import main
from pyctr.cli.main import run
from pyctr.errors import Conflict, ContainerNotFound, ImageNotFound, NotModified, PyctrError, StartFailure


class Cli:
    """The command line with an engine of mocks."""

    def __init__(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        self.engine = MagicMock()
        self.capture = capfdbinary
        self.connected: tuple[str | None, str | None] | None = None

    def connect(self, root: str | None, run_root: str | None, *_: object) -> Any:
        self.connected = (root, run_root)
        return self.engine

    def __call__(self, *argv: str, environ: dict[str, str] | None = None) -> SimpleNamespace:
        code = run(argv, environ or {})
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = self.capture.readouterr()
        return SimpleNamespace(code=code, out=out.decode(), err=err.decode())


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    cli = Cli(capfdbinary)
    monkeypatch.setattr(pyctr.engine, "connect", cli.connect)
    return cli


def test_without_a_command_there_is_help(cli: Cli) -> None:
    done = cli()
    assert done.code == 0
    assert done.out.startswith("Usage: pyctr [OPTIONS] COMMAND\n")
    for line in ("Common Commands:", "Management Commands:", "  run  ", "  container  ", "--run-root string"):
        assert line in done.out
    assert cli("--help").out == done.out


@pytest.mark.parametrize("argv", [["container"], ["container", "--help"]])
def test_a_group_has_help(cli: Cli, argv: list[str]) -> None:
    done = cli(*argv)
    assert done.code == 0
    assert done.out.startswith("Usage: pyctr container COMMAND\n")
    assert "  ls  " in done.out
    assert "  remove" not in done.out


def test_help_of_a_command(cli: Cli) -> None:
    done = cli("container", "ls", "--help")
    assert done.code == 0
    assert done.out.startswith("Usage: pyctr container ls [OPTIONS]\n")
    assert "pyctr ps, pyctr container ls, pyctr container list, pyctr container ps" in done.out
    assert "-a, --all" in done.out
    assert "--net " not in cli("run", "--help").out
    assert "-h, --hostname string" in cli("run", "--help").out


@pytest.mark.parametrize(
    ("argv", "err", "code"),
    [
        (["foo"], "pyctr: 'foo' is not a pyctr command. See 'pyctr --help'\n", 1),
        (["image", "foo"], "pyctr: 'image foo' is not a pyctr command. See 'pyctr image --help'\n", 1),
        (
            ["--foo"],
            "unknown flag: --foo\n\nUsage:  pyctr [OPTIONS] COMMAND [ARG...]\n\n"
            "Run 'pyctr --help' for more information\n",
            125,
        ),
        (
            ["run", "-m", "x", "y"],
            'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\'\n\n'
            "Usage:  pyctr run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n"
            "Run 'pyctr run --help' for more information\n",
            125,
        ),
        (
            ["rename", "x"],
            "pyctr: 'pyctr rename' requires 2 arguments\n\nUsage:  pyctr rename CONTAINER NEW_NAME\n\n"
            "Run 'pyctr rename --help' for more information\n",
            1,
        ),
        (
            ["run", "--pid", "x", "y"],
            "pyctr: --pid: invalid PID mode\n\nRun 'pyctr run --help' for more information\n",
            125,
        ),
        (["-l", "loud", "ps"], None, 1),
    ],
)
def test_mistakes(cli: Cli, argv: list[str], err: str | None, code: int) -> None:
    done = cli(*argv)
    assert done.code == code
    assert done.out == ""
    assert err is None or done.err == err


def test_each_of_several_is_tried(cli: Cli) -> None:
    cli.engine.containers.pause.side_effect = [
        None,
        ContainerNotFound("no such container: b", hint="look closer"),
        None,
    ]
    done = cli("pause", "a", "b", "c")
    assert done.out == "a\nc\n"
    assert done.err == "pyctr: no such container: b\nlook closer\n"
    assert done.code == 1


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (ImageNotFound("no such image: x"), 125),
        (StartFailure("exec: sh: no such file", exit_code=127), 127),
        (StartFailure("exec: /x: permission denied", exit_code=126), 126),
    ],
)
def test_run_ends_with_dockers_codes(cli: Cli, problem: PyctrError, code: int) -> None:
    cli.engine.containers.run.side_effect = problem
    done = cli("run", "x")
    assert done.code == code
    assert done.err == f"pyctr: {problem}\n\nRun 'pyctr run --help' for more information\n"


def test_other_commands_end_with_one(cli: Cli) -> None:
    cli.engine.containers.rename.side_effect = Conflict("the name is in use")
    assert cli("rename", "a", "b").code == 1
    cli.engine.containers.create.side_effect = ImageNotFound("no such image: x")
    done = cli("create", "x")
    assert (done.code, done.err) == (1, "pyctr: no such image: x\n")
    assert cli("create", "--pid", "x", "y").code == 125
    cli.engine.execs.run.side_effect = ContainerNotFound("no such container: x")
    assert cli("exec", "x", "y").code == 1
    cli.engine.execs.run.side_effect = StartFailure("no such program", exit_code=127)
    assert cli("exec", "x", "y").code == 127


def test_a_full_disk_is_an_error() -> None:
    program = f"import sys; sys.path[:] = {sys.path!r}; from pyctr.cli import main; main()"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program, "--version"], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.stderr == b"pyctr: cannot write to standard output: no space left on device\n"
    assert done.returncode == 1


def test_no_traceback_unless_asked_for(cli: Cli) -> None:
    cli.engine.containers.list.side_effect = RuntimeError("a\nb")
    done = cli("ps")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[0] == "pyctr: unexpected RuntimeError: a b"
    assert "--debug" in done.err
    assert "Traceback" in cli("--debug", "ps").err


def test_an_interrupt_is_quiet(cli: Cli) -> None:
    cli.engine.containers.list.side_effect = KeyboardInterrupt
    done = cli("ps")
    assert (done.code, done.out, done.err) == (130, "", "")


def test_a_second_interrupt_is_quiet_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.engine.containers.list.side_effect = KeyboardInterrupt
    cli.engine.close.side_effect = KeyboardInterrupt
    ended: list[int] = []
    monkeypatch.setattr("sys.argv", ["pyctr", "ps"])
    monkeypatch.setattr("os._exit", ended.append)
    main()
    assert ended == [130]
    assert cli.capture.readouterr().err == b""


def test_a_broken_pipe_is_quiet(cli: Cli) -> None:
    cli.engine.containers.list.side_effect = BrokenPipeError
    done = cli("ps")
    assert (done.code, done.out, done.err) == (141, "", "")


@pytest.mark.parametrize(
    ("argv", "environ", "roots"),
    [
        (["--root", "/a", "--run-root=/b"], {}, ("/a", "/b")),
        ([], {"PYCTR_ROOT": "/c"}, ("/c", None)),
        (["--root", "/a"], {"PYCTR_ROOT": "/c", "PYCTR_RUN_ROOT": "/d"}, ("/a", "/d")),
    ],
)
def test_roots(cli: Cli, argv: list[str], environ: dict[str, str], roots: tuple[str, str | None]) -> None:
    cli.engine.containers.list.return_value = []
    cli(*argv, "ps", environ=environ)
    assert cli.connected == roots


def test_detached_prints_the_id(cli: Cli, tmp_path: Path) -> None:
    cli.engine.containers.run.return_value = ("f" * 64, ["beware"], None)
    cid = tmp_path / "cid"
    done = cli("run", "-d", "--cidfile", str(cid), "--name", "n", "x", "y", "-z")
    assert done.out == "f" * 64 + "\n"
    assert done.err == "WARNING: beware\n"
    assert cid.read_text() == "f" * 64
    body, name = cli.engine.containers.run.call_args.args
    assert name == "n"
    assert (body["Image"], body["Cmd"]) == ("x", ["y", "-z"])
    assert (body["AttachStdout"], body["HostConfig"]["ContainerIDFile"]) == (False, str(cid))


def test_warnings_can_be_silenced(cli: Cli) -> None:
    cli.engine.containers.run.return_value = ("f" * 64, ["beware"], None)
    assert cli("--log-level", "error", "run", "-d", "x").err == ""


def test_the_id_file_goes_with_a_container_that_was_not_made(cli: Cli, tmp_path: Path) -> None:
    cid = tmp_path / "cid"
    cli.engine.containers.run.side_effect = ImageNotFound("no such image: x")
    cli("run", "-d", "--cidfile", str(cid), "x")
    assert not cid.exists()
    cid.write_text("old")
    done = cli("run", "-d", "--cidfile", str(cid), "x")
    assert "container ID file found" in done.err
    assert done.code == 125
    assert cid.read_text() == "old"


def test_the_id_file_keeps_a_container_that_was_not_started(cli: Cli, tmp_path: Path) -> None:
    cid = tmp_path / "cid"
    problem = StartFailure("no such program", exit_code=127)
    problem.container_id, problem.warnings = "e" * 64, ["careful"]
    cli.engine.containers.run.side_effect = problem
    done = cli("run", "-d", "--cidfile", str(cid), "x")
    assert cid.read_text() == "e" * 64
    assert done.err.startswith("WARNING: careful\npyctr: no such program\n")


def test_a_terminal_needs_one_here(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.isatty", lambda fd: False)
    done = cli("run", "-it", "x")
    assert done.err.startswith("pyctr: the input device is not a TTY\n")
    assert not cli.engine.containers.run.called


def test_attach_and_detach_are_at_odds(cli: Cli) -> None:
    done = cli("run", "-d", "-a", "stdin", "x")
    assert done.err.startswith("pyctr: conflicting options: cannot specify both --attach and --detach\n")
    assert done.code == 1


def test_stopping_what_is_stopped_is_no_mistake(cli: Cli) -> None:
    cli.engine.containers.stop.side_effect = NotModified("not running")
    done = cli("stop", "-t", "3", "x")
    assert (done.out, done.code) == ("x\n", 0)
    cli.engine.containers.stop.assert_called_once_with("x", timeout=3, signal=None)


def test_removing_by_force_what_is_gone(cli: Cli) -> None:
    cli.engine.containers.remove.side_effect = ContainerNotFound("no such container: x")
    done = cli("rm", "-f", "x")
    assert (done.out, done.err, done.code) == ("", "pyctr: no such container: x\n", 0)
    assert cli("rm", "x").code == 1


def test_exec_asks_for_what_was_said(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("B=2\nHOME\n")
    done = cli(
        *(
            "exec",
            "-d",
            "-u",
            "me",
            "-w",
            "/w",
            "-e",
            "A=1",
            "--env-file",
            str(tmp_path / "env"),
            "--privileged",
        ),
        *("box", "sh", "-c", "x"),
        environ={"HOME": "/h"},
    )
    assert done.code == 0
    name, body = cli.engine.execs.run.call_args.args
    assert name == "box"
    assert body["Cmd"] == ["sh", "-c", "x"]
    assert body["Env"] == ["B=2", "HOME=/h", "A=1"]
    assert (body["User"], body["WorkingDir"], body["Privileged"], body["AttachStdout"]) == (
        "me",
        "/w",
        True,
        False,
    )


def test_update_sends_only_what_was_given(cli: Cli) -> None:
    cli.engine.containers.update.return_value = {"Warnings": ["hm"]}
    done = cli("update", "-m", "1g", "--cpus", "1.5", "a", "b")
    assert (done.out, done.err, done.code) == ("a\nb\n", "WARNING: hm\nWARNING: hm\n", 0)
    cli.engine.containers.update.assert_called_with("b", {"Memory": 1 << 30, "NanoCpus": 1_500_000_000})
    assert "you must provide one or more flags" in cli("update", "a").err


def test_logs_go_where_they_came_from(cli: Cli) -> None:
    cli.engine.containers.logs.return_value = iter([(1, b"out\n"), (2, b"err\n"), (1, b"last")])
    done = cli("logs", "--tail", "5", "-t", "--since", "10m", "x")
    assert (done.out, done.err) == ("out\nlast", "err\n")
    given = cli.engine.containers.logs.call_args.kwargs
    assert (given["tail"], given["timestamps"], given["since"], given["until"]) == (5, True, "10m", None)


def test_waiting(cli: Cli) -> None:
    cli.engine.containers.wait.side_effect = [{"StatusCode": 0}, {"StatusCode": 137}]
    assert cli("wait", "a", "b").out == "0\n137\n"


def test_inspect_looks_everywhere(cli: Cli) -> None:
    cli.engine.containers.inspect.side_effect = ContainerNotFound("no such container: x")
    cli.engine.images.inspect.side_effect = ImageNotFound("no such image: x")
    cli.engine.volumes.inspect.side_effect = [{"Name": "x", "Labels": None}, ContainerNotFound("no")]
    done = cli("inspect", "x", "y")
    assert done.out == '[\n    {\n        "Name": "x",\n        "Labels": null\n    }\n]\n'
    assert done.err == "pyctr: no such object: y\n"
    assert done.code == 1


def test_a_wrong_template_is_64_for_inspect(cli: Cli) -> None:
    done = cli("inspect", "-f", "{{.Name", "x")
    assert (done.err, done.code) == ("pyctr: template parsing error: template: :1: unclosed action\n", 64)


def test_prune_asks_first(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    cli.engine.volumes.prune.return_value = {"VolumesDeleted": ["a"], "SpaceReclaimed": 1500}
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    done = cli("volume", "prune")
    assert "Are you sure you want to continue? [y/N] " in done.out
    assert not cli.engine.volumes.prune.called
    done = cli("volume", "prune", "-f")
    assert done.out == "Deleted Volumes:\na\n\nTotal reclaimed space: 1.5kB\n"


def test_volume_create(cli: Cli) -> None:
    cli.engine.volumes.create.return_value = {"Name": "v"}
    assert cli("volume", "create", "-o", "a=b", "--label", "c=d", "v").out == "v\n"
    cli.engine.volumes.create.assert_called_once_with(
        {"Name": "v", "Driver": "local", "DriverOpts": {"a": "b"}, "Labels": {"c": "d"}}
    )


def test_import_takes_files_and_urls(cli: Cli, tmp_path: Path) -> None:
    cli.engine.images.import_.return_value = "sha256:abc"
    archive = tmp_path / "a.tar"
    archive.write_bytes(b"x")
    assert cli("import", "-c", "CMD sh", "-m", "why", str(archive), "name:tag").out == "sha256:abc\n"
    given = cli.engine.images.import_.call_args
    assert isinstance(given.args[0], int)
    assert given.kwargs == {"ref": "name:tag", "changes": ["CMD sh"], "message": "why", "platform": ""}
    cli("import", "https://example.com/a.tar")
    assert cli.engine.images.import_.call_args.args == ("https://example.com/a.tar",)
    assert "no such file or directory" in cli("import", str(tmp_path / "none")).err


def test_export_leaves_no_half_file(cli: Cli, tmp_path: Path) -> None:
    import os

    target = tmp_path / "out.tar"
    target.write_bytes(b"old")
    cli.engine.containers.export.side_effect = lambda name, fd: os.write(fd, b"new")
    assert cli("export", "-o", str(target), "x").code == 0
    assert target.read_bytes() == b"new"

    def fail(name: str, fd: int) -> None:
        os.write(fd, b"half")
        raise ContainerNotFound("no such container: x")

    cli.engine.containers.export.side_effect = fail
    assert cli("export", "-o", str(target), "x").code == 1
    assert target.read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["out.tar"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(cli: Cli, shell: str) -> None:
    done = cli("completion", shell)
    assert done.code == 0
    assert "_PYCTR_COMPLETE" in done.out
    assert "unknown shell" in cli("completion", "tcsh").err
