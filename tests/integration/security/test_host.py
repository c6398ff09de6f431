"""What a container, or another user, finds of the host's side."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

import pyctr
from pyctr.engine.local import LocalEngine
from pyctr.errors import PyctrError
from tests.integration.security.conftest import PYTHON, Build
from tests.integration.security.images import Rootfs

pytestmark = pytest.mark.root


def test_a_container_starts(engine: pyctr.Engine) -> None:
    assert engine.run("host", ["echo", "alive"]).stdout == b"alive\n"


@pytest.mark.parametrize("fd", [3, 4, 5, 6, 7, 8, 9, 10, 11])
def test_no_descriptor_of_ours_can_be_run(engine: pyctr.Engine, fd: int) -> None:
    container = engine.containers.run("host", ["sleep", "1000"])
    for run in (container.exec, lambda command: engine.run("host", command)):
        with pytest.raises(PyctrError, match="exec"):
            run([f"/proc/self/fd/{fd}"])


def test_the_runtime_cannot_be_overwritten(engine: pyctr.Engine) -> None:
    """Hold /proc/PID/exe of the runtime that runs inside, wait for its end, then write (CVE-2019-5736)."""
    binary = Path(engine.info()["PyctrOciPath"])
    before = (binary.stat().st_mtime_ns, binary.read_bytes()[:64])
    watch = """if True:
        import os, time
        held, end = {}, time.monotonic() + 20
        while not os.path.exists("/tmp/stop") and time.monotonic() < end:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    if os.readlink(f"/proc/{pid}/exe") == "/" and pid not in held:
                        held[pid] = os.open(f"/proc/{pid}/exe", os.O_RDONLY)
                except OSError:
                    pass
        for fd in held.values():
            try:
                os.open(f"/proc/self/fd/{fd}", os.O_WRONLY)
                print("writable")
            except OSError as problem:
                print(problem.strerror)
    """
    container = engine.containers.run("host", [PYTHON, "-c", watch])
    for _ in range(5):
        container.exec(["/proc/self/exe", "features"])
        container.exec("true")
    container.exec(["touch", "/tmp/stop"])
    container.wait()
    assert set(container.logs().decode().splitlines()) <= {"Read-only file system", "Text file busy"}
    assert (binary.stat().st_mtime_ns, binary.read_bytes()[:64]) == before


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_modes_of_what_lies_on_disk(engine: pyctr.Engine, tmp_path: Path) -> None:
    engine.volumes.create("data")
    container = engine.containers.run("host", ["sleep", "1000"])
    root, bundle = tmp_path / "root", tmp_path / "run" / "containers" / container.id
    assert mode(root) & 0o067 == 0
    assert mode(bundle) == 0o700
    for name in ("config.json", "shim.json", "shim.lock", "state.json", "shim.sock"):
        assert mode(bundle / name) == 0o600, name
    for name in ("meta.db", "events.json"):
        assert mode(root / name) == 0o600, name
    for path in (root / "containers", root / "containers" / container.id, *root.glob(f"*/{container.id}")):
        assert mode(path) & 0o067 == 0, path


def test_no_container_fills_the_run_root(engine: pyctr.Engine, tmp_path: Path) -> None:
    """It is memory that the whole machine needs: what a container may write to lies elsewhere."""
    container = engine.containers.run("host", ["sleep", "1000"])
    run = os.stat(tmp_path / "run" / "containers" / container.id)
    inside = Path(f"/proc/{container.attrs['State']['Pid']}/root/etc")
    for name, key in (
        ("hosts", "HostsPath"),
        ("hostname", "HostnamePath"),
        ("resolv.conf", "ResolvConfPath"),
    ):
        assert container.exec(["sh", "-c", f"echo more >> /etc/{name}"]).exit_code == 0
        path = Path(container.attrs[key])  # type: ignore[literal-required]
        assert path.is_relative_to(tmp_path / "root" / "containers")
        assert os.path.samefile(path, inside / name)
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file() and path.name[:5] != "exec-"]
    assert {path.name for path in files} <= {"config.json", "shim.json", "shim.lock", "state.json"}
    assert all(path.stat().st_uid == run.st_uid and path.stat().st_mode & 0o077 == 0 for path in files)


def test_other_users_reach_no_supervisor(engine: pyctr.Engine, tmp_path: Path) -> None:
    container = engine.containers.run("host", ["sleep", "1000"])
    directory = os.open(tmp_path / "run" / "containers", os.O_PATH | os.O_DIRECTORY)
    here = f"/proc/self/fd/{directory}/{container.id}"
    script = f"import os; os.stat({here!r}); os.stat({here + '/shim.sock'!r})"
    try:
        root, nobody = (
            subprocess.run(
                [PYTHON, "-c", script], user=user, group=user, extra_groups=[], pass_fds=[directory], cwd="/",
                capture_output=True, text=True, check=False,
            )
            for user in (0, 65534)
        )  # fmt: skip
    finally:
        os.close(directory)
    assert root.stderr == ""
    assert "PermissionError" in nobody.stderr
    assert "shim.sock" in nobody.stderr


ASK = """
import os, socket, struct, sys
path, user = sys.argv[1], int(sys.argv[2])
here = socket.socket(socket.AF_UNIX)
here.settimeout(10)
os.setgroups([]), os.setgid(user), os.setuid(user)
here.connect(path)
body = b'{"op": "state"}'
try:
    here.sendall(struct.pack(">B3xL", 3, len(body)) + body)
    print(len(here.recv(100)))
except OSError:
    print(0)
"""


def test_a_socket_open_to_all_serves_root_only(engine: pyctr.Engine, tmp_path: Path) -> None:
    """Even if directory and socket let everybody in, the supervisor looks at who calls (SO_PEERCRED)."""
    container = engine.containers.run("host", ["sleep", "1000"])
    bundle = tmp_path / "run" / "containers" / container.id
    (bundle / "shim.sock").chmod(0o666)
    bundle.chmod(0o711)
    directory = os.open(bundle, os.O_PATH | os.O_DIRECTORY)
    try:
        answers = [
            subprocess.run(
                [PYTHON, "-c", ASK, f"/proc/self/fd/{directory}/shim.sock", user],
                pass_fds=[directory], capture_output=True, text=True, check=False,
            )
            for user in ("0", "65534")
        ]  # fmt: skip
    finally:
        os.close(directory)
    assert [done.stderr for done in answers] == ["", ""]
    assert int(answers[0].stdout) > 0
    assert int(answers[1].stdout) == 0


def test_nothing_listens_in_the_abstract_namespace(engine: pyctr.Engine) -> None:
    container = engine.containers.run("host", ["sleep", "1000"])
    supervisor = Path(f"/proc/{container.attrs['State']['Pid']}/status").read_text()
    parent = next(line.split()[1] for line in supervisor.splitlines() if line.startswith("PPid"))
    inodes = {os.stat(f"/proc/{parent}/fd/{fd}").st_ino for fd in os.listdir(f"/proc/{parent}/fd")}
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[6]) in inodes:
            assert not (len(fields) > 7 and fields[7].startswith("@")), line


SWAP = """
mkdir /a /a/d; echo inside > /a/d/f; ln -s {outside} /a/l; touch /ready
while :; do mv /a/d /a/e; mv /a/l /a/d; mv /a/d /a/l; mv /a/e /a/d; sleep 0.003; done
"""


def test_copies_while_directory_and_link_change_places(
    engine: pyctr.Engine, local: LocalEngine, build: Build, tmp_path: Path
) -> None:
    """What a container renames meanwhile leads no copy to the host's files (CVE-2018-15664)."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("outside\n")
    container = engine.containers.run(build(Rootfs()), ["sh", "-c", SWAP.format(outside=outside)])
    while container.exec(["stat", "/ready"]).exit_code != 0:
        pass
    packed = tmp_path / "packed"
    rootfs = Rootfs().file("planted", "x").save(tmp_path / "in.tar")
    seen: list[bytes] = []

    def copy_out() -> None:
        for attempt in range(5000):
            if attempt >= 60 and any(b"inside" in data for data in seen):
                break  # enough tries, and one that was in time: else it proves nothing
            with packed.open("w+b") as file:
                try:
                    local.containers.archive_get(container.id, "/a/d/f", file.fileno())
                except PyctrError:
                    continue
                file.seek(0)
                seen.append(file.read())

    reader = threading.Thread(target=copy_out)
    reader.start()
    for _ in range(15):
        with rootfs.open("rb") as file:
            try:
                local.containers.archive_put(container.id, "/a/d", file.fileno())
            except PyctrError:
                continue
    reader.join()
    assert os.listdir(outside) == ["f"]
    assert any(b"inside" in data for data in seen)
    assert not any(b"outside\n" in data for data in seen)
