"""A Docker Engine API server of canned answers: ask the real docker what it sends and prints."""

from __future__ import annotations

import json
import re
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

DOCKER = shutil.which("docker")
CONTAINER_ID = "f1d2d2f924e986ac86fdf7b36c94bcdf32beec15a3c1f6b3a2c4e5d6f7a8b9c0"


class FakeDocker:
    """Answers from ``replies`` (path without the version prefix -> document) and remembers create bodies."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "docker.sock"
        self.replies: dict[str, Any] = {}
        self.bodies: list[dict[str, Any]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def address_string(self) -> str:
                return "unix"

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def reply(self, document: Any, status: int = 200) -> None:
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Api-Version", "1.50")
                self.send_header("Ostype", "linux")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_HEAD(self) -> None:
                self.reply(b"OK")

            def do_GET(self) -> None:
                path = re.sub(r"^/v1\.\d+", "", self.path.partition("?")[0])
                if path in fake.replies:
                    self.reply(fake.replies[path])
                else:
                    self.reply({"message": f"no such thing: {path}"}, 404)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if "/containers/create" in self.path:
                    fake.bodies.append(json.loads(body))
                    self.reply({"Id": CONTAINER_ID, "Warnings": []}, 201)
                else:
                    self.reply({}, 200)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

        self.server = Server(str(self.socket), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def docker(
        self, *argv: str, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the real command line against this server."""
        assert DOCKER is not None
        return subprocess.run(
            [DOCKER, "-H", f"unix://{self.socket}", *argv],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            cwd=cwd,
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **(env or {})},
        )

    def create_body(
        self, *argv: str, env: dict[str, str] | None = None, cwd: Path | None = None
    ) -> tuple[dict[str, Any] | None, subprocess.CompletedProcess[str]]:
        """Run ``docker create argv…``: the body it posted (None if it refused) and the finished process."""
        self.bodies.clear()
        done = self.docker("create", *argv, env=env, cwd=cwd)
        return (self.bodies[-1] if self.bodies else None), done


@pytest.fixture(scope="session")
def fake_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDocker]:
    """The real docker command line on a server of ours; skips where there is no docker."""
    if DOCKER is None:
        pytest.skip("the docker command line is not installed")
    fake = FakeDocker(tmp_path_factory.mktemp("docker"))
    yield fake
    fake.close()
