from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.store.json import dumps, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_agrees_with_the_package(value: object) -> None:
    assert json.loads(dumps(value)) == value
    assert loads(json.dumps(value, indent=1)) == value
    assert loads(f" \n{dumps(value)}\t".encode()) == value


@given(st.text(max_size=12))
def test_refuses_what_the_package_refuses(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - any words will do
            loads(text)
    else:
        if expected == expected and expected not in (float("inf"), float("-inf")):  # noqa: PLR0124 - not NaN
            assert loads(text) == expected


@pytest.mark.parametrize(
    "text", ["", " ", "{", "{} {}", "NaN", "-Infinity", "[1,]", "{'a': 1}", '"\n"', b"\xff"]
)
def test_no_json(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads(text)


def test_no_form_in_json() -> None:
    with pytest.raises(TypeError, match="a set cannot be written as JSON"):
        dumps({"a": {1}})
    with pytest.raises(ValueError):  # noqa: PT011
        dumps(float("nan"))


def test_many_threads_at_once() -> None:
    wrong = []

    def work(number: int) -> None:
        value = {str(key): [number, key] for key in range(200)}
        for _ in range(50):
            if loads(dumps(value)) != value:
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_refuses_where_nobody_has_imported_the_package() -> None:
    script = """
import sys
from pyctr.store.json import loads, loads_or
for text in ("{", '{"a"', "[1,", '{bkey":1}', "nul", '{"a":1}x'):
    try:
        loads(text)
    except ValueError:
        continue
    sys.exit(text)
assert "json" not in sys.modules
assert [loads_or(text, {}) for text in ("", "{", "[1]", '{"a":1}')] == [{}, {}, {}, {"a": 1}]
"""
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=False,
                          env={"PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
