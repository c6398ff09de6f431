from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyctr.engine.container.groups import HIGHEST_GID, parse

FILE = b"""root:x:0:
audio:x:29:alice
audio:x:30:
broken
negative:x:-1:
words:x:many:
large:x:2147483648:
huge:x:99999999999999999999:
\xff\xfe:x:7:
"""


def test_what_makes_sense_counts() -> None:
    names = {"root", "audio", "broken", "negative", "words", "large", "huge", "missing"}
    assert parse(FILE, names) == {"root": 0, "audio": 29}


@given(st.binary(max_size=200))
def test_any_file_is_survived(text: bytes) -> None:
    assert all(0 <= gid <= HIGHEST_GID for gid in parse(text, {"a", "", "\ufffd"}).values())
