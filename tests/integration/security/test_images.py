"""Images whose files and configuration try to lead the engine astray."""

from __future__ import annotations

import contextlib
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

import pyctr
from pyctr.errors import PyctrError
from tests.integration.security.conftest import Build, Cli
from tests.integration.security.images import Rootfs

pytestmark = pytest.mark.root


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A directory of the host that no image may reach."""
    path = tmp_path / "victim"
    path.mkdir()
    (path / "secret").write_text("secret\n")
    return path


def intact(victim: Path) -> bool:
    return os.listdir(victim) == ["secret"] and (victim / "secret").read_text() == "secret\n"


def test_a_container_starts(engine: pyctr.Engine, build: Build) -> None:
    assert engine.run(build(), ["echo", "alive"]).stdout == b"alive\n"


@pytest.mark.parametrize("where", ["proc", "sys"])
def test_linked_kernel_file_systems_are_refused(engine: pyctr.Engine, build: Build, where: str) -> None:
    build(Rootfs().link(where, "/tmp"))
    with pytest.raises(PyctrError, match=f"/{where}: .*symbolic link"):
        engine.run("hostile", "true")


@pytest.mark.parametrize("where", ["dev", "etc/hosts", "etc/resolv.conf", "etc/hostname", "dev/shm", "mnt"])
@pytest.mark.parametrize("way", ["{}", "../../../../../../../..{}", "/proc/self/root{}", "/proc/1/root{}"])
def test_linked_mount_points_stay_inside(
    engine: pyctr.Engine, build: Build, victim: Path, where: str, way: str
) -> None:
    target = victim if where in ("dev", "dev/shm", "mnt") else victim / "secret"
    image = build(Rootfs().link(where, way.format(target)))
    try:
        result = engine.run(image, ["cat", str(victim / "secret")], volumes=["data:/mnt"])
    except PyctrError as problem:
        if "too many levels of symbolic links" not in problem.message:
            raise
    else:
        assert result.stdout != b"secret\n"
    assert intact(victim)


def test_binds_and_temporaries_over_links_stay_inside(
    engine: pyctr.Engine, build: Build, victim: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    build(
        Rootfs()
        .link("abs", str(victim))
        .link("up", f"../../../../../..{victim}")
        .link("magic", "/proc/1/root")
    )
    for name in ("abs", "up"):
        script = f"touch /{name}/made /{name}/below/made; cat {victim}/secret"
        below = {"Tmpfs": {f"/{name}/below": ""}}
        result = engine.run("hostile", ["sh", "-c", script], volumes=[f"{source}:/{name}"], host_config=below)
        assert result.exit_code == 1
        assert (source / "made").exists()
    for target in ("/magic", "/magic/etc", "/proc/1/root", "/proc/self/fd", "/proc/sys"):
        with pytest.raises(PyctrError):
            engine.run("hostile", "true", volumes=[f"{source}:{target}"])
    assert intact(victim)


def test_volumes_are_filled_with_links_not_with_what_they_name(
    engine: pyctr.Engine, build: Build, victim: Path
) -> None:
    rootfs = Rootfs().folder("data").link("data/out", str(victim)).link("data/file", str(victim / "secret"))
    engine.run(build(rootfs), "true", volumes=["data:/data"])
    data = Path(engine.volumes.get("data").attrs["Mountpoint"])
    assert os.readlink(data / "out") == str(victim)
    assert os.readlink(data / "file") == str(victim / "secret")
    for subpath in ("out", "file", "../..", "out/secret"):
        mount = {"Type": "volume", "Source": "data", "Target": "/m", "VolumeOptions": {"Subpath": subpath}}
        with pytest.raises(PyctrError):
            engine.run("hostile", "true", host_config={"Mounts": [mount]})
    assert intact(victim)


@pytest.mark.parametrize(
    ("passwd", "user", "expected"),
    [
        ("1000:x:0:0::/:\n", "1000", "1000 0"),  # digits are a number, never a name
        ("root:x:0:0::/:\nall:x:4294967295:4294967295::/:\n", "all", None),  # -1 would mean to stay root
        ("root:x:0:0::/:\nbig:x:2147483648:0::/:\n", "big", None),
        ("neg:x:-5:-5::/:\n", "neg", None),
        ("root:x:0:0::/:\n", "2147483648", None),
        ("root:x:0:0::/:\n", "4294967296", None),
        ("root:x:0:0::/:\n", "-1", None),
        ("root:x:0:0::/:\n", "2147483647", "2147483647 0"),
        (f"{'a' * (2 << 20)}\nweb:x:33:33::/:\n", "web", "33 33"),
        (f"{'x:x:1:1::/:' * 1}\n" * 300_000 + "web:x:33:33::/:\n", "web", "33 33"),
        ("\0\n:::::\nweb:x\nweb:x:33:33\n", "web", "33 33"),
    ],
)
def test_hostile_accounts(
    engine: pyctr.Engine, build: Build, passwd: str, user: str, expected: str | None
) -> None:
    image = build(Rootfs(accounts=False).file("etc/passwd", passwd))
    command = ["sh", "-c", "stat -c '%u %g' /proc/self/"]
    if expected is None:
        with pytest.raises(PyctrError, match=r"range 0-2147483647|no matching entries"):
            engine.run(image, command, user=user)
    else:
        assert engine.run(image, command, user=user).stdout.decode().strip() == expected


def test_accounts_that_are_no_files(engine: pyctr.Engine, build: Build) -> None:
    for index, kind in enumerate((tarfile.FIFOTYPE, tarfile.DIRTYPE)):
        image = build(Rootfs(accounts=False).special("etc/passwd", kind), f"odd{index}")
        with pytest.raises(PyctrError, match="not a regular file"):
            engine.run(image, "true", user="web")
    for index, target in enumerate(("/dev/zero", "/proc/kmsg", "/proc/self/environ", "/proc/1/environ")):
        image = build(Rootfs(accounts=False).link("etc/passwd", target), f"link{index}")
        with pytest.raises(PyctrError, match="not a regular file"):
            engine.run(image, "true", user="web")


def test_configuration_decides_nothing_outside(
    engine: pyctr.Engine, build: Build, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels choose nothing, variables without a value take none of the host's, and text reaches no shell."""
    build()
    archive = str(tmp_path / "hostile.tar")
    monkeypatch.setenv("PYCTR_TEST_SECRET", "leaked")
    changes = (
        "ENV GOOD=1",
        "LABEL io.pyctr.privileged=true log-driver=syslog runtime=/bin/sh devices=/dev/vda",
        "USER $(touch /pwned)",
    )
    options = [word for change in changes for word in ("-c", change)]
    assert cli("import", *options, archive, "labelled").returncode == 0
    done = cli("run", "--rm", "--net=none", "labelled", "true")
    assert (done.returncode, "unable to find user $(touch /pwned)" in done.stderr) == (125, True)
    done = cli("run", "--rm", "--net=none", "-u", "0", "-e", "PYCTR_TEST_UNSET", "labelled", "sh", "-c",
               "env; grep -E 'CapEff|Seccomp:' /proc/self/status")  # fmt: skip
    assert "GOOD=1" in done.stdout
    assert "00000000a80425fb" in done.stdout
    assert "leaked" not in done.stdout
    assert "PYCTR_TEST_UNSET" not in done.stdout


def test_environment_entries_without_a_value_are_dropped(
    engine: pyctr.Engine, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYCTR_TEST_SECRET", "leaked")
    body: Any = {"Image": build(), "Cmd": ["env"], "Env": ["PYCTR_TEST_SECRET", "=x", "A=1"],
            "AttachStdout": True, "HostConfig": {"NetworkMode": "none", "AutoRemove": True}}  # fmt: skip
    _, _, session = engine.backend.containers.run(body, None)
    assert session is not None
    printed = pyctr.api.collect(session).stdout.decode()
    assert "A=1" in printed
    assert "leaked" not in printed
    assert "=x" not in printed.splitlines()


@pytest.mark.parametrize("workdir", ["/proc/self/fd/6", "/proc/1/root", "/proc/self/cwd", "/magic"])
def test_working_directories_behind_magic_links(engine: pyctr.Engine, build: Build, workdir: str) -> None:
    image = build(Rootfs().link("magic", "/proc/self/fd/5"))
    with pytest.raises(PyctrError, match=r"symbolic links|no such file"):
        engine.run(image, "true", workdir=workdir)
    container = engine.containers.run(image, ["sleep", "1000"])
    with pytest.raises(PyctrError, match=r"symbolic links|no such file"):
        container.exec("true", workdir=workdir)


@pytest.mark.parametrize(
    ("rootfs", "outside"),
    [
        (lambda: Rootfs().file("../../../../../escape", "x"), "escape"),
        (lambda: Rootfs().link("d", "/").file("d/escape-by-link", "x"), "escape-by-link"),
        (lambda: Rootfs().link("etc/hard", "../../../../../../etc/shadow", hard=True), None),
        (lambda: Rootfs().link("e", "/etc").link("hard", "e/shadow", hard=True), None),
    ],
)
def test_archives_that_climb(engine: pyctr.Engine, build: Build, rootfs: object, outside: str | None) -> None:
    assert callable(rootfs)
    shadow = Path("/etc/shadow").stat().st_nlink
    with contextlib.suppress(PyctrError):  # refused or contained: both are well
        build(rootfs())
    assert Path("/etc/shadow").stat().st_nlink == shadow
    assert outside is None or not Path("/", outside).exists()
