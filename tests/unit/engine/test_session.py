"""Sessions, with the supervisor's end of the socket in our hand."""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyctr.api import collect
from pyctr.engine import frames
from pyctr.engine.session import ShimSession, SupervisorGone, ask, connect
from pyctr.errors import Conflict, InvalidParameter, NotFound, PyctrError, StartFailure, SystemFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXIT = {"exit_code": 7, "oom_killed": False, "pid": 5, "started_at": "", "finished_at": "", "error": ""}


def pack(kind: int, document: object) -> bytes:
    return frames.pack(kind, json.dumps(document).encode())


@pytest.fixture
def ends() -> Iterator[tuple[ShimSession, socket.socket]]:
    ours, theirs = socket.socketpair()
    session = ShimSession(ours.detach())
    yield session, theirs
    session.close()
    theirs.close()


def test_a_life(ends: tuple[ShimSession, socket.socket]) -> None:
    session, peer = ends
    peer.sendall(pack(frames.OK, {"pid": 42, "started_at": "2023-11-14T22:13:20Z", "warnings": ["w"]}))
    session.handshake()
    assert (session.pid, session.started_at, session.warnings) == (42, "2023-11-14T22:13:20Z", ["w"])
    assert session.receive() == []
    peer.sendall(frames.pack(frames.STDOUT, b"out") + frames.pack(frames.STDERR, b"err"))
    assert session.receive() == [(1, b"out"), (2, b"err")]
    assert not session.ended
    peer.sendall(pack(frames.EXIT, EXIT))
    assert session.wait() == 7
    assert session.ended


def test_a_silent_supervisor_keeps_nobody_waiting(ends: tuple[ShimSession, socket.socket]) -> None:
    session, _ = ends
    session.limit(0.01)
    with pytest.raises(SupervisorGone, match="does not answer"):
        session.request({"op": "state"})


def test_output_before_ok_is_not_lost(ends: tuple[ShimSession, socket.socket]) -> None:
    session, peer = ends
    peer.sendall(
        frames.pack(frames.STDOUT, b"early") + pack(frames.OK, {}) + frames.pack(frames.STDOUT, b"late")
    )
    session.handshake()
    assert b"".join(piece for _, piece in session.receive()) == b"earlylate"


@pytest.mark.parametrize(
    ("code", "kind", "exit_code"),
    [(125, StartFailure, 125), (127, StartFailure, 127), (404, NotFound, 125), (409, Conflict, 125),
     (400, InvalidParameter, 125), (500, PyctrError, 125)],
)  # fmt: skip
def test_refusals(
    ends: tuple[ShimSession, socket.socket], code: int, kind: type[PyctrError], exit_code: int
) -> None:
    session, peer = ends
    peer.sendall(pack(frames.ERROR, {"message": "no such thing", "code": code}))
    with pytest.raises(kind, match="no such thing") as raised:
        session.handshake()
    assert raised.value.exit_code == exit_code


def test_a_supervisor_that_goes_is_noticed(ends: tuple[ShimSession, socket.socket]) -> None:
    session, peer = ends
    peer.close()
    with pytest.raises(SupervisorGone):
        session.handshake()


def test_a_request_that_cannot_be_sent_is_not_waited_for(
    ends: tuple[ShimSession, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(SystemFailure, match="cannot talk to the supervisor: no buffer space available"):
        ends[0].request({"op": "start"})


def test_without_a_record_the_engine_finds_out() -> None:
    ours, theirs = socket.socketpair()
    seen: list[dict[str, Any] | None] = []

    def on_end(record: dict[str, Any] | None) -> int:
        seen.append(record)
        return 137

    session = ShimSession(ours.detach(), on_end=on_end)
    theirs.close()
    assert session.wait() == 137
    assert seen == [None]


def test_what_is_sent(ends: tuple[ShimSession, socket.socket]) -> None:
    session, peer = ends
    assert session.write(b"input") == 5
    session.resize(24, 80)
    session.signal(15)
    session.close_stdin()
    got = frames.Unpacker().feed(peer.recv(4096))
    assert got == [
        (frames.STDIN, b"input"),
        (frames.RESIZE, b'{"rows":24,"cols":80}'),
        (frames.SIGNAL, b'{"signal":15}'),
        (frames.STDIN, b""),
    ]


def test_writing_never_blocks_and_loses_nothing(ends: tuple[ShimSession, socket.socket]) -> None:
    session, peer = ends
    taken = 0
    while (count := session.write(b"x" * 100_000)) > 0:
        taken += count
    assert session.pending
    unpacker, got = frames.Unpacker(), 0
    peer.setblocking(False)
    while got < taken:
        session.receive()  # sends what is left too
        try:
            got += sum(len(payload) for _, payload in unpacker.feed(peer.recv(1 << 20)))
        except BlockingIOError:
            continue
    assert got == taken
    assert not session.pending


def test_nonsense_ends_the_session(ends: tuple[ShimSession, socket.socket]) -> None:
    session, peer = ends
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(PyctrError, match="does not speak our language"):
        session.receive()
    assert session.ended


def test_collect_feeds_and_gathers_at_once() -> None:
    ours, theirs = socket.socketpair()
    data = os.urandom(3 << 20)

    def echo() -> None:
        unpacker = frames.Unpacker()
        while True:
            for kind, payload in unpacker.feed(theirs.recv(1 << 16)):
                assert kind == frames.STDIN
                if not payload:
                    theirs.sendall(pack(frames.EXIT, EXIT))
                    return
                theirs.sendall(frames.pack(frames.STDOUT, payload))

    thread = threading.Thread(target=echo)
    thread.start()
    result = collect(ShimSession(ours.detach()), data)
    thread.join()
    theirs.close()
    assert (result.exit_code, result.stdout == data, result.stderr) == (7, True, b"")


def serve(path: Path, answer: Callable[[socket.socket], None]) -> threading.Thread:
    listener = socket.socket(socket.AF_UNIX)
    directory = os.open(path, os.O_PATH)
    listener.bind(f"/proc/self/fd/{directory}/shim.sock")
    os.close(directory)
    listener.listen()

    def run() -> None:
        peer, _ = listener.accept()
        with peer, listener:
            answer(peer)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_ask_through_a_path_longer_than_a_socket_address(tmp_path: Path) -> None:
    bundle = tmp_path / ("b" * 120)
    bundle.mkdir()

    def answer(peer: socket.socket) -> None:
        ((kind, payload),) = frames.Unpacker().feed(peer.recv(4096))
        assert (kind, json.loads(payload)) == (frames.REQUEST, {"op": "state"})
        peer.sendall(pack(frames.OK, {"pid": 3}))

    thread = serve(bundle, answer)
    assert ask(str(bundle), {"op": "state"}) == {"pid": 3}
    thread.join()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(SupervisorGone):
        connect(str(tmp_path))
    with pytest.raises(SupervisorGone):
        connect(str(tmp_path / "missing"))
