"""Run as a program: our standard streams connected with a supervisor that is a thread of this process.

Its argument is a JSON object for ``Streams``. The supervisor is told what to do by its input, line by line:
``say X``, ``err X``, ``exit N``, ``echo`` (repeats what follows to the end of input, then exits with 7),
``fill N`` and ``flood N`` (N bytes, the latter as its last). It reports signals and sizes, and ends at TERM.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading

from pyctr.cli import open_standard_streams
from pyctr.cli.streams import Streams
from pyctr.engine import frames
from pyctr.engine.session import ShimSession


class Supervisor(threading.Thread):
    def __init__(self, connection: socket.socket, tty: bool) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.tty = tty
        self.unpacker = frames.Unpacker()
        self.typed = b""
        self.mode = ""

    def run(self) -> None:
        while data := self.connection.recv(65536):
            for kind, payload in self.unpacker.feed(data):
                if self.mode != "gone":
                    self.take(kind, payload)

    def send(self, kind: int, payload: bytes) -> None:
        self.connection.sendall(frames.pack(kind, payload))

    def exit(self, code: int) -> None:
        self.mode = "gone"
        self.send(frames.EXIT, json.dumps({"exit_code": code}).encode())
        self.connection.shutdown(socket.SHUT_WR)

    def take(self, kind: int, payload: bytes) -> None:
        if kind == frames.SIGNAL:
            number = json.loads(payload)["signal"]
            os.write(2, b"got %d\n" % number)
            self.send(frames.STDOUT, b"signal %d\n" % number)
            if number == 15:
                self.exit(143)
        elif kind == frames.RESIZE:
            size = json.loads(payload)
            self.send(frames.STDOUT, b"size %d %d\r\n" % (size["rows"], size["cols"]))
        elif kind == frames.STDIN and self.mode == "echo":
            self.send(frames.STDOUT, payload)
            if not payload:
                self.exit(7)
        elif kind == frames.STDIN:
            self.typed += payload if not self.tty else payload.replace(b"\r", b"\n")
            self.lines(ended=not payload)

    def lines(self, *, ended: bool) -> None:
        while b"\n" in self.typed and self.mode != "gone":
            line, _, self.typed = self.typed.partition(b"\n")
            word, _, rest = line.partition(b" ")
            if word in (b"say", b"err"):
                self.send(frames.STDOUT if word == b"say" else frames.STDERR, rest + b"\n")
            elif word == b"exit":
                self.exit(int(rest))
            elif word == b"flood":
                self.send(frames.STDOUT, b"x" * int(rest))
                self.exit(0)
            elif word == b"fill":
                self.send(frames.STDOUT, b"x" * int(rest))
            elif word == b"echo":
                self.mode, typed, self.typed = "echo", self.typed, b""
                self.send(frames.STDOUT, typed)
                return
        if ended and self.mode != "gone":
            self.exit(9)


def main() -> int:
    open_standard_streams()
    ours, theirs = socket.socketpair()
    settings = json.loads(sys.argv[1])
    Supervisor(theirs, settings["tty"]).start()
    session = ShimSession(ours.detach(), on_end=lambda record: int((record or {})["exit_code"]))
    with Streams(**settings) as streams:
        os.write(2, b"ready\n")
        code = streams.run(session)
    os.write(2, b"detached\n" if code is None else b"ended\n")
    return 100 if code is None else code


if __name__ == "__main__":
    sys.exit(main())
