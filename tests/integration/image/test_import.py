"""Archives become images, whole or not at all."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from pyctr.engine.image.import_ import import_image
from pyctr.engine.image.inspect import history, inspect
from pyctr.engine.image.list import list_images
from pyctr.errors import InvalidImage, InvalidParameter, NotFound, SystemFailure
from pyctr.image import host
from pyctr.image.fetch import open_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyctr.engine.core import Core

pytestmark = pytest.mark.root


def put(core: Core, path: str | Path, **options: object) -> str:
    fd = open_source(str(path))
    try:
        return import_image(core, fd, **options)  # type: ignore[arg-type]
    finally:
        os.close(fd)


def stored(core: Core) -> list[str]:
    """The images but for the host's, and the layers' directories."""
    images = [image["Id"] for image in list_images(core) if image["Id"] != host.image_id()]
    try:
        return images + os.listdir(f"{core.paths.root}/{core.driver.name}")
    except FileNotFoundError:
        return images


def test_an_archive_becomes_an_image(core: Core, archive: Path) -> None:
    id = put(
        core, archive, ref="tiny", changes=['CMD ["sh"]', "ENV A=1"], message="hello", platform="linux/arm64"
    )
    document = inspect(core, "tiny")
    diff_id = "sha256:" + hashlib.sha256(archive.read_bytes()).hexdigest()
    assert document["Id"] == id
    assert document["RepoTags"] == ["tiny:latest"]
    assert document["RootFS"] == {"Type": "layers", "Layers": [diff_id]}
    assert document["Config"] == {"Cmd": ["sh"], "Env": ["A=1"]}
    assert (document["Architecture"], document["Os"], document["Comment"]) == ("arm64", "linux", "hello")
    assert document["Size"] == sum(len(text) for text in (b"root:x:0:0::/:/bin/sh\n", b"old", b"#!/bin/sh\n"))
    raw = core.db.row("SELECT doc FROM images")
    assert raw is not None
    assert id == "sha256:" + hashlib.sha256(raw[0].encode()).hexdigest()
    (step,) = history(core, "tiny")
    assert (step["Id"], step["Size"], step["Comment"]) == (id, document["Size"], "hello")
    diff = f"{core.paths.root}/{core.driver.name}/{diff_id[7:]}/diff"
    assert os.stat(diff + "/bin/tool").st_mode & 0o7777 == 0o4755
    assert os.stat(diff + "/etc/passwd").st_mtime == 1_000_000
    events = [(event["Type"], event["Action"]) for event in core.journal.read()]
    assert events == [("image", "import")]


@pytest.mark.parametrize("program", ["gzip", "zstd", "xz", "bzip2"])
def test_compression_is_undone(core: Core, archive: Path, program: str) -> None:
    packed = archive.with_suffix(".packed")
    packed.write_bytes(subprocess.run([program, "-c", archive], check=True, capture_output=True).stdout)
    plain = inspect(core, put(core, archive))
    assert inspect(core, put(core, packed))["RootFS"] == plain["RootFS"]
    packed.write_bytes(packed.read_bytes()[:-20])
    before = stored(core)
    with pytest.raises(InvalidImage):
        put(core, packed)
    assert stored(core) == before


def test_the_same_layer_is_stored_once(core: Core, archive: Path) -> None:
    first, second = put(core, archive), put(core, archive)
    assert first != second
    assert len(os.listdir(f"{core.paths.root}/{core.driver.name}")) == 1


def hostile(path: Path) -> Path:
    import tarfile

    with tarfile.open(path, "w") as tar:
        tar.addfile(tarfile.TarInfo("fine"))
        tar.addfile(tarfile.TarInfo("../../escaped"))
    return path


def test_a_bad_archive_leaves_nothing(core: Core, archive: Path, tmp_path: Path) -> None:
    bad = {
        "leads outside": hostile(tmp_path / "hostile.tar"),
        "ends too early": tmp_path / "cut.tar",
        "cut short": tmp_path / "boundary.tar",
        "not a tar archive": tmp_path / "noise",
        "is empty": tmp_path / "empty",
    }
    whole = archive.read_bytes()
    bad["ends too early"].write_bytes(whole[:5000].rstrip(b"\0") or whole[:600])
    end = len(whole.rstrip(b"\0"))
    bad["cut short"].write_bytes(whole[: end + -end % 512])
    bad["not a tar archive"].write_bytes(b"hello" * 1000)
    bad["is empty"].write_bytes(b"")
    for words, path in bad.items():
        with pytest.raises(InvalidImage, match=words) as caught:
            put(core, path, ref="bad")
        assert "\n" not in str(caught.value)
        assert stored(core) == []
    assert not (tmp_path / "escaped").exists()
    put(core, archive, ref="bad")


def test_bad_words_are_refused_before_anything_is_read(core: Core, archive: Path) -> None:
    for options in ({"ref": "A:b"}, {"ref": "host"}, {"changes": ["RUN x"]}, {"platform": "windows"}):
        with pytest.raises(InvalidParameter):
            put(core, archive, **options)
    assert stored(core) == []


def test_sources_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        open_source(str(tmp_path / "missing"))
    with pytest.raises(InvalidParameter, match="is a directory"):
        open_source(str(tmp_path))


@pytest.fixture
def server(archive: Path) -> Iterator[str]:
    """A web server on the loopback interface: ``/whole``, and ``/cut``, which promises more than it gives."""
    data = gzip.compress(archive.read_bytes())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path not in ("/whole", "/cut"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data if self.path == "/whole" else data[:200])

        def log_message(self, *_: object) -> None:
            pass

    httpd = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def test_an_address_can_be_imported(core: Core, archive: Path, server: str) -> None:
    downloaded = inspect(core, put(core, server + "/whole", source=server + "/whole"))
    assert downloaded["RootFS"] == inspect(core, put(core, archive))["RootFS"]
    assert downloaded["Comment"] == f"Imported from {server}/whole"
    with pytest.raises(NotFound, match="404"):
        put(core, server + "/nothing")
    with pytest.raises(InvalidImage):
        put(core, server + "/cut")
    with pytest.raises(SystemFailure, match="cannot download"):
        put(core, "http://127.0.0.1:1/")


def test_a_killed_import_leaves_what_the_next_command_sweeps(core: Core, archive: Path) -> None:
    from pyctr.engine.recover import sweep_files

    script = (
        "import sys; from pyctr.engine.core import Core\n"
        "from pyctr.engine.image.import_ import import_image\n"
        "import_image(Core(sys.argv[1], sys.argv[2]), 0)"
    )
    arguments = ["-c", script, core.paths.root, core.paths.run_root]
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(archive.read_bytes()[:6000])
        process.stdin.flush()
        while not _staged(core):
            assert process.poll() is None
        process.kill()
    assert _staged(core)
    sweep_files(core)
    assert stored(core) == []


def _staged(core: Core) -> list[str]:
    try:
        return os.listdir(core.paths.tmp)
    except FileNotFoundError:
        return []


def test_a_layer_whose_maker_died_is_collected(core: Core) -> None:
    from pyctr.engine.recover import everything
    from pyctr.store.images import LayerRows

    layer = "a" * 64
    with core.driver.stage(()) as staging:
        LayerRows(core.db).claim(layer, f"sha256:{layer}", 0, "token")
        staging.commit(layer)
    everything(core)
    assert core.driver.has(layer)
    core.db.execute("UPDATE layer_claims SET owner = '1:1'")
    everything(core)
    assert not core.driver.has(layer)
    assert not LayerRows(core.db).has_leftovers()


FULL = """
import json, os, sys
from pyctr.engine.core import Core
from pyctr.engine.image.import_ import import_image
from pyctr.engine.image.list import list_images
from pyctr.errors import SystemFailure
core = Core(sys.argv[1] + "/root", sys.argv[1] + "/run")
core.driver
try:
    import_image(core, os.open(sys.argv[2], os.O_RDONLY), ref="big")
except SystemFailure as error:
    print(json.dumps([error.errno, str(error), len(list_images(core)), os.listdir(core.paths.tmp)]))
id = import_image(core, os.open(sys.argv[3], os.O_RDONLY), ref="small")
print(json.dumps(id))
"""


def test_a_full_disk_is_said_and_survived(core: Core, archive: Path, tmp_path: Path) -> None:
    import tarfile

    big = tmp_path / "big.tar"
    (tmp_path / "noise").write_bytes(os.urandom(12 << 20))
    with tarfile.open(big, "w") as tar:
        tar.add(tmp_path / "noise", "noise")
    disk = tmp_path / "disk"
    disk.mkdir()
    shell = 'mount -t tmpfs -o size=8m tmpfs "$1" && shift && exec "$@"'
    arguments: list[str | Path] = [sys.executable, "-c", FULL, disk, big, archive]
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", shell, "sh", disk, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    failure, success = done.stdout.splitlines()
    errno, words, images, staged = json.loads(failure)
    assert (errno, images, staged) == (28, 1, [])
    assert words == 'cannot write "noise": no space left on device'
    assert json.loads(success).startswith("sha256:")
