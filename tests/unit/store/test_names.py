from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.errors import InvalidParameter
from pyctr.store import names

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


@given(st.text(max_size=300))
def test_is_name_is_the_pattern(text: str) -> None:
    assert names.is_name(text) == bool(NAME.fullmatch(text) and len(text) <= 255)


@pytest.mark.parametrize("name", ["ab", "A.b-c_9", "9" * 255])
def test_good_names(name: str) -> None:
    assert names.check_name("container", name) == name


@pytest.mark.parametrize("name", ["", "a", "-a", "..", "a/b", "a b", "ä" * 3, "x" * 256, "a\n"])
def test_bad_names(name: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid container name"):
        names.check_name("container", name)


def test_ids_are_64_digits_that_do_not_read_as_a_number() -> None:
    ids = {names.new_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(names.is_id(id) and not id[:12].isdigit() for id in ids)


def test_random_names_are_names() -> None:
    for retry in (0, 1):
        drawn = {names.random_name(retry) for _ in range(300)}
        assert all(names.is_name(name) for name in drawn)
        assert len(drawn) > 200
    assert len(set(names.ADJECTIVES)) == len(names.ADJECTIVES)
    assert len(set(names.SURNAMES)) == len(names.SURNAMES)
