"""Input that makes no sense: one line that says why, docker's exit code, and nothing left behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import pyctr
from tests.integration.security.conftest import Build, Cli
from tests.integration.security.images import Rootfs

pytestmark = pytest.mark.root

OPTIONS = [
    (["--name", ".."], "invalid container name"),
    (["--name", "a/b"], "invalid container name"),
    (["--name", "two\nlines"], r"invalid container name (two\nlines)"),
    (["--name", "-x"], "invalid container name"),
    (["-h", "two\nlines"], "invalid hostname"),
    (["-u", "nobody-here"], "unable to find user nobody-here"),
    (["-u", "2147483648"], "uids and gids must be in range"),
    (["-w", "relative"], "absolute path"),
    (["-w", "/etc/passwd"], "not a directory"),
    (["-m", "1k"], "minimum memory limit"),
    (["--cpus", "1000"], "range of CPUs"),
    (["--cpu-shares", "1"], "cpu"),
    (["--cpuset-cpus", "x"], "cpuset"),
    (["--stop-signal", "NOPE"], "invalid signal: NOPE"),
    (["--cap-add", "nosuch"], "unknown capability"),
    (["--security-opt", "nosuch=1"], "nosuch"),
    (["--log-driver", "syslog"], "logging plugin"),
    (["--userns", "foo"], "--userns"),
    (["--net", "container:nosuch"], "no such container: nosuch"),
    (["--pid", "container:../x"], "no such container: ../x"),
    (["--volumes-from", "nosuch"], "no such container: nosuch"),
    (["--device", "/dev/nosuch"], "/dev/nosuch"),
    (["--device", "/etc/passwd"], "not a device node"),
    (["--cgroup-parent", "../../x"], "invalid cgroup parent"),
    (["--sysctl", "net...kernel.core_pattern=x"], "is not allowed"),
    (["--mount", "type=bind,src=/nosuch,dst=/mnt"], "bind source path does not exist: /nosuch"),
    (["-v", "a/../b:/y"], "includes invalid characters for a local volume name"),
    (["-v", "x:../y"], "must be absolute"),
    (["-v", "x:/"], "invalid volume specification: 'x:/'"),
    (["-v", "/proc"], "only a proc file system may be there"),
    (["--tmpfs", "/proc/x"], "/proc/x"),
    (["--env-file", "/nosuch"], "/nosuch"),
]
PARSED = [
    (["-m", "12parsecs"], "invalid suffix"),
    (["--ulimit", "nofile=1:0"], "soft limit"),
    (["--ulimit", "bogus=1"], "invalid ulimit type"),
    (["--sysctl", "kernel.core_pattern=x"], "is not allowed"),
    (["-e", "=x"], "invalid environment variable"),
    (["--nosuchflag"], "unknown flag"),
]


def empty(tmp_path: Path) -> bool:
    """Tell that no container, volume or half-made file is in the store."""
    places = ("root/containers", "root/tmp", "root/trash", "root/volumes", "run/containers")
    return not [name for place in places for name in os.listdir(tmp_path / place)]


def test_a_container_starts(cli: Cli, build: Build) -> None:
    done = cli("run", "--rm", "--net=none", build(), "echo", "alive")
    assert (done.returncode, done.stdout, done.stderr) == (0, "alive\n", "")


@pytest.mark.parametrize(("options", "why"), OPTIONS)
def test_options_that_make_no_sense(
    cli: Cli, build: Build, tmp_path: Path, options: list[str], why: str
) -> None:
    done = cli("run", "--rm", "--net=none", *options, build(), "true")
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (125, "")
    assert lines[0].startswith("pyctr: ")
    assert why in lines[0]
    assert lines[-2:] == ["", "Run 'pyctr run --help' for more information"]
    assert len(lines) <= 4  # a hint, where there is one
    assert empty(tmp_path)


@pytest.mark.parametrize(("options", "why"), PARSED)
def test_options_that_cannot_be_read(
    cli: Cli, build: Build, tmp_path: Path, options: list[str], why: str
) -> None:
    done = cli("run", *options, build(), "true")
    assert (done.returncode, done.stdout) == (125, "")
    assert why in done.stderr.splitlines()[0]
    assert empty(tmp_path)


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["start", "nosuch"], "no such container: nosuch"),
        (["exec", "nosuch", "true"], "no such container: nosuch"),
        (["rm", "../x"], "no such container: ../x"),
        (["volume", "rm", "../../containers"], "no such volume"),
        (["volume", "create", "../x"], "includes invalid characters"),
        (["volume", "create", "v" * 300], "includes invalid characters"),
        (["rmi", "../x"], "invalid reference format"),
        (["tag", "hostile", "../x"], "invalid reference format"),
        (["tag", "hostile", "red\033[31m"], r"red\x1b[31m"),
        (["import", "/nosuch", "x"], "/nosuch"),
        (["import", "/dev/null", "x"], "empty"),
        (["kill", "-s", "../x", "nosuch"], "invalid signal"),
        (["cp", "nosuch:/x", "/tmp"], "no such container: nosuch"),
    ],
)
def test_commands_on_what_is_not_there(
    cli: Cli, build: Build, tmp_path: Path, argv: list[str], why: str
) -> None:
    build()
    done = cli(*argv)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pyctr: ")
    assert why in done.stderr.splitlines()[0]
    assert done.stderr.count("\n") <= 2  # a hint, where there is one
    assert empty(tmp_path)


@pytest.mark.parametrize(
    ("command", "code"), [("nosuch", 127), ("/nosuch", 127), ("/etc/passwd", 126), ("/", 126)]
)
def test_programs_that_cannot_run(cli: Cli, build: Build, tmp_path: Path, command: str, code: int) -> None:
    done = cli("run", "--rm", "--net=none", build(), command)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("pyctr: exec: ")
    assert empty(tmp_path)


def test_damaged_archives_leave_nothing(cli: Cli, tmp_path: Path, engine: pyctr.Engine) -> None:
    whole = Rootfs().save(tmp_path / "whole.tar").read_bytes()
    for index, data in enumerate((whole[: len(whole) // 2], b"\x1f\x8b" + b"x" * 100, os.urandom(4096))):
        archive = tmp_path / f"{index}.tar"
        archive.write_bytes(data)
        done = cli("import", str(archive), "damaged")
        assert done.returncode == 1, index
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("pyctr: ")
        assert "unexpected" not in done.stderr.partition(":")[2][:12]
    assert empty(tmp_path)
    assert "damaged" not in cli("images").stdout


def test_huge_input(engine: pyctr.Engine, build: Build) -> None:
    """What the kernel takes works; what it cannot take is an error, not a crash."""
    image = build()
    many = {f"V{index}": "x" for index in range(20_000)}
    result = engine.run(image, ["sh", "-c", "env | grep -c ^V"], environment=many)
    assert result.stdout == b"20000\n"
    words = ["x" * 100_000] * 10
    assert engine.run(image, ["sh", "-c", "echo $#", "sh", *words]).stdout == b"10\n"
    with pytest.raises(pyctr.errors.PyctrError, match=r"too long|too large|at most"):
        engine.run(image, ["echo", "x" * (1 << 20)])
    with pytest.raises(pyctr.errors.PyctrError, match=r"too long|too large|at most"):
        engine.run(image, "true", environment={f"V{index}": "x" * 60 for index in range(100_000)})
