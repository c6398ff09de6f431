"""pyctr.fastjson does what json does, and imports none of what makes that slow."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr import fastjson

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@given(VALUES, st.booleans(), st.booleans(), st.sampled_from([(", ", ": "), (",", ":")]))
def test_same_as_json(value: Any, sort_keys: bool, ensure_ascii: bool, separators: tuple[str, str]) -> None:
    theirs = json.dumps(value, sort_keys=sort_keys, ensure_ascii=ensure_ascii, separators=separators)
    mine = fastjson.dumps(value, sort_keys=sort_keys, ensure_ascii=ensure_ascii, separators=separators)
    assert mine == theirs
    assert fastjson.loads(mine) == value
    assert fastjson.loads(f" \n{mine}\t") == value
    if ensure_ascii:
        assert fastjson.loads(mine.encode()) == value


@given(st.text() | st.text('{}[]",:0123456789.eE+-truefalsn \n\\u'))
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever the words
            fastjson.loads(text)
    else:
        mine = fastjson.loads(text)
        assert mine == expected or mine != mine  # noqa: PLR0124 - NaN


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, [b"x"]])
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        fastjson.dumps(value)


def test_a_document_within_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="Circular"):
        fastjson.dumps(loop)


def test_it_imports_nothing_slow() -> None:
    program = "import sys, pyctr.fastjson; pyctr.fastjson.loads('{}'); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"re", "enum", "functools", "json.decoder"}.isdisjoint(done.stdout.split())
