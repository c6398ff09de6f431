"""The frames spoken with a supervisor (ARCHITECTURE.md, "Frames"): pack, and unpack what has arrived."""

from __future__ import annotations

STDIN, STDOUT, STDERR, REQUEST, OK, ERROR, EXIT, RESIZE, SIGNAL = range(9)

HEADER_BYTES = 8
MAX_PAYLOAD = 16 << 20
"""More than any honest frame: a longer one means the stream is not ours."""


def pack(kind: int, payload: bytes = b"") -> bytes:
    return bytes((kind, 0, 0, 0)) + len(payload).to_bytes(4, "big") + payload


class Unpacker:
    """Cuts a stream of bytes into frames; keeps what is incomplete."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Add what was read; gives the frames that are whole. ValueError when this is no stream of frames."""
        buffer = self._buffer
        buffer += data
        frames: list[tuple[int, bytes]] = []
        start, size = 0, len(buffer)
        while size - start >= HEADER_BYTES:
            length = int.from_bytes(buffer[start + 4 : start + 8], "big")
            if buffer[start] > SIGNAL or length > MAX_PAYLOAD:
                raise ValueError(f"frame of kind {buffer[start]} and {length} bytes")
            end = start + HEADER_BYTES + length
            if end > size:
                break
            frames.append((buffer[start], bytes(buffer[start + HEADER_BYTES : end])))
            start = end
        del buffer[:start]
        return frames
