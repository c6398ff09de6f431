from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.errors import InvalidParameter
from pyctr.image.words import expand, json_array, split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("a='b c' d", ["a='b c'", "d"]),
        (r"a\ b c", [r"a\ b", "c"]),
        ('"a b"c d', ['"a b"c', "d"]),
        ("", []),
    ],
)
def test_split(text: str, words: list[str]) -> None:
    assert split(text) == words


def test_an_open_quote_is_an_error() -> None:
    with pytest.raises(InvalidParameter, match="matching"):
        split("a 'b")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "1"),
        ("${A}x", "1x"),
        ("$Ax", ""),
        ("'$A'", "$A"),
        ('"$A b"', "1 b"),
        (r"\$A", "$A"),
        ("${NO:-d$A}", "d1"),
        ("${A:-d}", "1"),
        ("${A:+yes}", "yes"),
        ("${NO:+yes}", ""),
        ("a$", "a$"),
        (r'"a\nb"', r"a\nb"),
    ],
)
def test_expand(text: str, value: str) -> None:
    assert expand(text, {"A": "1"}) == value


@pytest.mark.parametrize("text", ["${A", "${A:-x", "${}", "${A:?no}"])
def test_malformed_variables(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid variable"):
        expand(text, {"A": "1"})


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), max_size=5))
def test_quoted_words_come_back(words: list[str]) -> None:
    line = " ".join(shlex.quote(word) for word in words)
    assert [expand(word, {}) for word in split(line)] == words


def test_json_arrays() -> None:
    assert json_array('["a", "b"]') == ["a", "b"]
    assert json_array("[a]") is None
    assert json_array("[1]") is None
    assert json_array("a") is None
