from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.engine import frames

FRAMES = st.lists(st.tuples(st.integers(0, frames.SIGNAL), st.binary(max_size=50)), max_size=8)


@given(FRAMES, st.integers(1, 20))
def test_any_cut_gives_the_same_frames(sent: list[tuple[int, bytes]], step: int) -> None:
    stream = b"".join(frames.pack(kind, payload) for kind, payload in sent)
    unpacker = frames.Unpacker()
    got = [frame for at in range(0, len(stream), step) for frame in unpacker.feed(stream[at : at + step])]
    assert got == sent


def test_the_form() -> None:
    assert frames.pack(frames.RESIZE, b"{}") == b"\x07\0\0\0\0\0\0\x02{}"


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\n", b"\x01\0\0\0\xff\xff\xff\xff"])
def test_what_is_no_frame_is_refused(junk: bytes) -> None:
    with pytest.raises(ValueError, match="frame of kind"):
        frames.Unpacker().feed(junk)
