"""The Python API: an engine, and containers, images and volumes as objects.

Everything here is a thin layer over ``engine.interface.Backend``, and safe to use from many threads at once.
"""

from __future__ import annotations

from pyctr.engine import connect
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Self

    from pyctr.engine import types as t
    from pyctr.engine.interface import Backend, Session

    Command = str | Sequence[str] | None


class Result:
    """How a command ended and what it wrote."""

    __slots__ = ("exit_code", "stderr", "stdout")

    def __init__(self, exit_code: int, stdout: bytes, stderr: bytes) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    def __repr__(self) -> str:
        return f"Result(exit_code={self.exit_code}, stdout={self.stdout!r}, stderr={self.stderr!r})"


class Engine:
    """A container engine. ``with pyctr.Engine() as engine:`` closes it at the end.

    ``root`` and ``run_root`` choose the store, as ``--root`` and ``--run-root`` do.
    """

    def __init__(self, root: str | None = None, run_root: str | None = None) -> None:
        self.backend: Backend = connect(root, run_root, lasting=True)
        self.containers = Containers(self.backend)
        self.images = Images(self.backend)
        self.volumes = Volumes(self.backend)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.backend.close()

    def run(
        self,
        image: str,
        command: Command = None,
        *,
        input: bytes | None = None,
        name: str | None = None,
        remove: bool = True,
        **options: Any,
    ) -> Result:
        """Run a command in a new container and wait for it; the container is removed unless ``remove=False``.

        ``input`` is what it reads. ``options`` are those of ``create_body``.
        """
        body = create_body(image, command, interactive=input is not None, remove=remove, **options)
        body["StdinOnce"] = body["AttachStdin"] = input is not None
        _, _, session = self.backend.containers.run(body, name)
        if session is None:
            raise InvalidParameter("the engine gave no session to read from")
        return collect(session, input)

    def events(self, **options: Any) -> Iterator[t.Event]:
        """What happens; see ``interface.Backend.events``."""
        return self.backend.events(**options)

    def info(self) -> dict[str, Any]:
        return self.backend.info()

    def version(self) -> dict[str, Any]:
        return self.backend.version()


class Containers:
    """``engine.containers``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create(
        self, image: str, command: Command = None, *, name: str | None = None, **options: Any
    ) -> Container:
        """Make a container; ``options`` are those of ``create_body``."""
        reply = self._backend.containers.create(create_body(image, command, **options), name)
        return Container(self._backend, reply["Id"])

    def run(
        self, image: str, command: Command = None, *, name: str | None = None, **options: Any
    ) -> Container:
        """Make a container, start it, and leave it running."""
        id, _, _ = self._backend.containers.run(create_body(image, command, **options), name, attach=False)
        return Container(self._backend, id)

    def get(self, id: str) -> Container:
        """The container with that id, prefix of an id, or name. ContainerNotFound."""
        return Container(self._backend, self._backend.containers.inspect(id)["Id"])

    def prune(self) -> t.PruneReply:
        return self._backend.containers.prune()

    def list(self, *, all: bool = False, filters: t.Filters | None = None) -> list[Container]:
        """The running containers, or all of them; newest first."""
        found = self._backend.containers.list(all=all, filters=filters)
        return [Container(self._backend, item["Id"]) for item in found]


class Container:
    """One container."""

    __slots__ = ("_backend", "id")

    def __init__(self, backend: Backend, id: str) -> None:
        self._backend = backend
        self.id = id

    def __repr__(self) -> str:
        return f"Container({self.id[:12]!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Container) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def attrs(self) -> t.ContainerInspect:
        """What ``inspect`` says now."""
        return self._backend.containers.inspect(self.id)

    @property
    def name(self) -> str:
        return self.attrs["Name"].removeprefix("/")

    @property
    def status(self) -> str:
        """``created``, ``running``, ``paused``, ``exited`` or ``dead``."""
        return self.attrs["State"]["Status"]

    def start(self) -> None:
        self._backend.containers.start(self.id)

    def stop(self, timeout: int | None = None, signal: str | None = None) -> None:
        """Ask it to end; kill it after ``timeout`` seconds."""
        self._backend.containers.stop(self.id, timeout=timeout, signal=signal)

    def restart(self, timeout: int | None = None) -> None:
        self._backend.containers.restart(self.id, timeout=timeout)

    def kill(self, signal: str = "SIGKILL") -> None:
        self._backend.containers.kill(self.id, signal)

    def pause(self) -> None:
        self._backend.containers.pause(self.id)

    def unpause(self) -> None:
        self._backend.containers.unpause(self.id)

    def wait(self) -> int:
        """Wait for its end; gives the exit code."""
        return self._backend.containers.wait(self.id)["StatusCode"]

    def exec(
        self,
        command: str | Sequence[str],
        *,
        input: bytes | None = None,
        user: str = "",
        workdir: str = "",
        environment: Mapping[str, str] | None = None,
        privileged: bool = False,
    ) -> Result:
        """Run another command in it and wait for that."""
        body: t.ExecBody = {
            "Cmd": [command] if isinstance(command, str) else list(command),
            "AttachStdin": input is not None,
            "AttachStdout": True,
            "AttachStderr": True,
            "User": user,
            "WorkingDir": workdir,
            "Env": [f"{key}={value}" for key, value in (environment or {}).items()],
            "Privileged": privileged,
        }
        session = self._backend.execs.run(self.id, body)
        if session is None:
            raise InvalidParameter("the engine gave no session to read from")
        return collect(session, input)

    def attach(self, *, stdin: bool = False, stdout: bool = True, stderr: bool = True) -> Session:
        """Join its streams; see ``interface.Session``."""
        return self._backend.containers.attach(self.id, stdin=stdin, stdout=stdout, stderr=stderr)

    def logs(self, *, stdout: bool = True, stderr: bool = True, tail: int | None = None) -> bytes:
        """What it has written so far."""
        pieces = self._backend.containers.logs(self.id, stdout=stdout, stderr=stderr, tail=tail)
        return b"".join(piece for _, piece in pieces)

    def follow(self, **options: Any) -> Iterator[tuple[int, bytes]]:
        """``(1 or 2, line)`` until it ends; ``options`` are those of ``interface.Containers.logs``."""
        return self._backend.containers.logs(self.id, follow=True, **options)

    def stats(self) -> t.Json:
        """What it uses now, as docker's stats document."""
        return next(self._backend.containers.stats(self.id, stream=False, one_shot=True))

    def top(self, ps_args: str = "") -> t.TopReply:
        return self._backend.containers.top(self.id, ps_args)

    def changes(self) -> t.Changes:
        """What its file system differs in from its image."""
        return self._backend.containers.changes(self.id)

    def rename(self, name: str) -> None:
        self._backend.containers.rename(self.id, name)

    def update(self, **resources: Any) -> t.UpdateReply:
        """Change limits, by the names of HostConfig: ``update(Memory=64 << 20)``."""
        body: Any = resources
        return self._backend.containers.update(self.id, body)

    def remove(self, *, force: bool = False, volumes: bool = False) -> None:
        self._backend.containers.remove(self.id, force=force, volumes=volumes)


class Images:
    """``engine.images``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def get(self, ref: str) -> Image:
        """The image with that reference or id. ImageNotFound."""
        return Image(self._backend, self._backend.images.inspect(ref)["Id"])

    def load_archive(self, path: str, ref: str | None = None) -> Image:
        """Make an image of a root file system's tar archive, compressed or not."""
        with open(path, "rb") as file:
            return Image(self._backend, self._backend.images.import_(file.fileno(), ref=ref))

    def remove(self, ref: str, *, force: bool = False) -> t.Deleted:
        return self._backend.images.remove(ref, force=force)

    def list(self) -> list[Image]:
        return [Image(self._backend, item["Id"]) for item in self._backend.images.list()]


class Image:
    """One image."""

    __slots__ = ("_backend", "id")

    def __init__(self, backend: Backend, id: str) -> None:
        self._backend = backend
        self.id = id

    def __repr__(self) -> str:
        return f"Image({self.id.removeprefix('sha256:')[:12]!r})"

    @property
    def attrs(self) -> t.ImageInspect:
        """What ``inspect`` says now."""
        return self._backend.images.inspect(self.id)

    @property
    def tags(self) -> list[str]:
        return self.attrs.get("RepoTags", [])

    def tag(self, ref: str) -> None:
        self._backend.images.tag(self.id, ref)

    def remove(self, *, force: bool = False) -> t.Deleted:
        return self._backend.images.remove(self.id, force=force)


class Volumes:
    """``engine.volumes``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def create(self, name: str = "", *, labels: Mapping[str, str] | None = None) -> Volume:
        found = self._backend.volumes.create({"Name": name, "Labels": dict(labels or {})})
        return Volume(self._backend, found["Name"])

    def get(self, name: str) -> Volume:
        return Volume(self._backend, self._backend.volumes.inspect(name)["Name"])

    def prune(self) -> t.PruneReply:
        return self._backend.volumes.prune()

    def list(self) -> list[Volume]:
        return [Volume(self._backend, item["Name"]) for item in self._backend.volumes.list()["Volumes"]]


class Volume:
    """One volume."""

    __slots__ = ("_backend", "name")

    def __init__(self, backend: Backend, name: str) -> None:
        self._backend = backend
        self.name = name

    def __repr__(self) -> str:
        return f"Volume({self.name!r})"

    @property
    def attrs(self) -> t.Volume:
        """What ``inspect`` says now."""
        return self._backend.volumes.inspect(self.name)

    def remove(self, *, force: bool = False) -> None:
        self._backend.volumes.remove(self.name, force=force)


def create_body(
    image: str,
    command: Command = None,
    *,
    environment: Mapping[str, str] | None = None,
    user: str = "",
    workdir: str = "",
    hostname: str = "",
    entrypoint: Command = None,
    tty: bool = False,
    interactive: bool = False,
    labels: Mapping[str, str] | None = None,
    volumes: Sequence[str] = (),
    network: str = "none",
    remove: bool = False,
    host_config: t.HostConfig | None = None,
) -> t.CreateBody:
    """The create document for what is asked for most; ``host_config`` is for the rest.

    ``volumes`` are as after ``-v``; a ``command`` that is a string is one word, as in a list of one.
    """
    host: t.HostConfig = {
        "NetworkMode": network,
        "AutoRemove": remove,
        "Binds": list(volumes),
        **(host_config or {}),
    }
    body: t.CreateBody = {
        "Image": image,
        "Env": [f"{key}={value}" for key, value in (environment or {}).items()],
        "User": user,
        "WorkingDir": workdir,
        "Hostname": hostname,
        "Tty": tty,
        "OpenStdin": interactive,
        "AttachStdout": True,
        "AttachStderr": True,
        "Labels": dict(labels or {}),
        "HostConfig": host,
    }
    if command is not None:
        body["Cmd"] = _words(command)
    if entrypoint is not None:
        body["Entrypoint"] = _words(entrypoint)
    return body


def _words(command: str | Sequence[str]) -> list[str]:
    return [command] if isinstance(command, str) else list(command)


def collect(session: Session, input: bytes | None = None) -> Result:
    """Feed a process its input and gather what it writes, both at once, until it ends."""
    from select import POLLIN, POLLOUT, poll

    output: dict[int, list[bytes]] = {1: [], 2: []}
    waiting = poll()
    rest = memoryview(input or b"")
    open_stdin = input is not None
    try:
        while True:
            for stream, piece in session.receive():
                output[stream].append(piece)
            if session.ended:
                break
            if open_stdin:
                rest = rest[session.write(bytes(rest[: 64 << 10])) :]
                if not rest:
                    session.close_stdin()
                    open_stdin = False
            waiting.register(session.fileno(), POLLIN | POLLOUT if open_stdin or session.pending else POLLIN)
            waiting.poll()
        return Result(session.wait(), b"".join(output[1]), b"".join(output[2]))
    finally:
        session.close()
