"""What docker's command line and daemon were seen to answer, word for word, and we too."""

from __future__ import annotations

import os
import subprocess
import tarfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.test_cli.conftest import Pyctr

pytestmark = pytest.mark.root

_VOLUME = 'invalid mount config for type "volume": '
_LETTERS = 'includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed'


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (
            "-v x:/",
            125,
            f"invalid volume specification: 'x:/': {_VOLUME}invalid specification: destination can't be '/'",
        ),
        ("-v a@b:/x", 125, f'create a@b: "a@b" {_LETTERS}'),
        ("-v x:/x", 125, "create x: volume name is too short"),
        ("--mount src=v,dst=/x,volume-driver=far", 125, 'plugin "far" not found'),
        ("--uts host --hostname x", 125, "conflicting options: hostname and the UTS mode"),
        ("--log-opt max-size=10x", 125, "failed to initialize logging driver: invalid size: '10x'"),
        ("--runtime fast", 125, "unknown or invalid runtime name: fast"),
        ("--gpus all", 125, 'could not select device driver "" with capabilities: [[gpu]]'),
        ("--env-file /tmp", 125, "invalid env file (/tmp): read /tmp: is a directory"),
        ("--cidfile /nowhere/x", 125, "open /nowhere/x: no such file or directory"),
        ("-it", 1, "the input device is not a TTY"),
        ("-d -a stdout", 1, "conflicting options: cannot specify both --attach and --detach"),
        ("--detach-keys what", 1, "invalid detach keys (what) provided"),
    ],
)
def test_what_run_refuses(pyctr: Pyctr, options: str, code: int, words: str) -> None:
    done = pyctr("run", "--rm", "--net=none", *options.split(), "busybox", "true")
    assert (done.returncode, done.stdout) == (code, b"")
    assert words in done.stderr.decode().splitlines()[0]
    assert pyctr.ok("ps", "-aq") == pyctr.ok("volume", "ls", "-q") == ""


def test_no_command_is_127(pyctr: Pyctr) -> None:
    done = pyctr("run", "--rm", "--net=none", "busybox", "")
    assert done.returncode == 127
    assert b'exec: "": executable file not found in $PATH' in done.stderr


def test_bytes_that_are_no_text_are_replaced(pyctr: Pyctr) -> None:
    odd = os.fsdecode(b"\xff\xfe")
    arguments = ("--net=none", "-e", f"X={odd}", "busybox", "sh", "-c", 'echo "$X $0"', odd)
    assert pyctr.ok("run", "--rm", *arguments) == "\ufffd\ufffd \ufffd\ufffd\n"


def test_a_mount_labels_the_volume_it_makes(pyctr: Pyctr) -> None:
    mount = "src=vol,dst=/v,volume-label=a=b"
    pyctr.ok("create", "--net=none", "--mount", mount, "busybox", "true")
    assert pyctr.ok("volume", "inspect", "-f", "{{json .Labels}}", "vol") == '{"a":"b"}\n'


def test_saying_no_is_no_failure(pyctr: Pyctr) -> None:
    for group in ("container", "image", "volume"):
        assert pyctr(group, "prune", stdin=b"n\n").returncode == 0


def test_a_paused_container_wakes_up_to_end(pyctr: Pyctr) -> None:
    pyctr.ok("run", "-d", "--net=none", "--name", "box", "--init", "busybox", "sleep", "100")
    pyctr.ok("pause", "box")
    pyctr.ok("kill", "-s", "WINCH", "box")
    assert pyctr.ok("inspect", "-f", "{{.State.Status}}", "box") == "paused\n"
    pyctr.ok("kill", "-s", "TERM", "box")
    assert pyctr.ok("wait", "box") == "143\n"


def test_memory_alone_allows_as_much_swap(pyctr: Pyctr) -> None:
    pyctr.ok("create", "--net=none", "--name", "box", "-m", "20m", "busybox", "true")
    limits = pyctr.ok("inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}", "box").split()
    assert limits[0] == str(20 << 20)
    assert limits[1] in ("0", str(40 << 20))  # where the kernel does not count swap there is nothing to say


def test_shared_memory_is_shared_by_who_says_so(pyctr: Pyctr) -> None:
    script = "echo hello > /dev/shm/f; exec sleep 100"
    for mode in ("shareable", "private"):
        pyctr.ok("run", "-d", "--net=none", "--name", mode, "--ipc", mode, "busybox", "sh", "-c", script)
    pyctr.ok("exec", "shareable", "sh", "-c", "until [ -s /dev/shm/f ]; do :; done")
    joined = ("run", "--rm", "--net=none")
    assert pyctr.ok(*joined, "--ipc", "container:shareable", "busybox", "cat", "/dev/shm/f") == "hello\n"
    refused = pyctr(*joined, "--ipc", "container:private", "busybox", "true")
    assert refused.returncode == 125
    assert b"non-shareable IPC" in refused.stderr


def test_an_input_without_end_is_no_archive(pyctr: Pyctr) -> None:
    done = pyctr("import", "/dev/zero", "endless")
    assert done.returncode == 1
    assert done.stderr == b"pyctr: more than 64 MiB follow the end of the archive\n"


def test_our_own_directories_are_not_copied_out_of_the_host(pyctr: Pyctr, tmp_path: Path) -> None:
    if os.stat(tmp_path).st_dev != os.stat("/").st_dev:
        pytest.skip("the store is on a file system that the image host does not show")
    pyctr.ok("create", "--net=none", "--name", "box", "host", "true")
    done = pyctr("cp", f"box:{tmp_path}", "-")
    assert (done.returncode, done.stderr) == (0, b"")
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        names = archive.getnames()
    assert f"{tmp_path.name}/root" in names
    assert not [name for name in names if name.startswith(f"{tmp_path.name}/root/")]


def test_a_storage_driver_can_be_named(pyctr: Pyctr, archive: bytes) -> None:
    done = pyctr("--storage-driver", "floppy", "create", "--net=none", "busybox", "true")
    assert done.returncode == 1
    assert done.stderr == b'pyctr: no such storage driver: "floppy": use one of overlay2, vfs\n'
    pyctr.ok("--storage-driver", "vfs", "import", "-", "copied", stdin=archive)
    assert pyctr.ok("--storage-driver", "vfs", "info", "-f", "{{.Driver}}") == "vfs\n"


@pytest.mark.parametrize(
    ("source", "destination", "words"),
    [
        ("box:", "here", "source can not be empty"),
        ("", "box:/x", "source can not be empty"),
        ("/etc/hostname", "box:", "destination can not be empty"),
        ("/etc/hostname", "box:/etc/passwd/x", "not a directory"),
        ("/etc", "box:/etc/passwd", "cannot copy directory"),
        ("/etc/hostname", "box:/nowhere/", "no such directory"),
        ("nowhere:/x", "here", "no such container: nowhere"),
    ],
)
def test_what_cp_refuses(pyctr: Pyctr, tmp_path: Path, source: str, destination: str, words: str) -> None:
    pyctr.ok("create", "--net=none", "--name", "box", "busybox", "true")
    done = pyctr("cp", source, destination, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert words in done.stderr.decode().lower()
    assert not (tmp_path / "here").exists()


def test_a_full_disk_under_our_output_is_told(pyctr: Pyctr) -> None:
    argv = pyctr.argv("run", "--rm", "--net=none", "busybox", "echo", "hello")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, check=False, env=pyctr.environ)
    assert done.returncode == 125
    assert done.stderr.startswith(b"pyctr: cannot write the output: no space left on device\n")
