"""References, compared with docker's grammar written as regular expressions."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.errors import InvalidParameter
from pyctr.image.reference import familiar, is_id, parse

LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
DOMAIN = rf"(?:{LABEL}(?:\.{LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"
TAIL = re.compile(rf"([^@]*?)(?::{TAG})?(?:@{DIGEST})?", re.ASCII)
SHA = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "name", "short"),
    [
        ("busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
        ("me/app", "docker.io/me/app:latest", "me/app:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("index.docker.io/library/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
        ("localhost/a", "localhost/a:latest", "localhost/a:latest"),
        ("localhost:5000/a/b:t", "localhost:5000/a/b:t", "localhost:5000/a/b:t"),
        ("quay.io/a_b/c__d-e.f", "quay.io/a_b/c__d-e.f:latest", "quay.io/a_b/c__d-e.f:latest"),
        ("[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"),
        ("Upper/a", "Upper/a:latest", "Upper/a:latest"),
        (f"a@{SHA}", f"docker.io/library/a@{SHA}", f"a@{SHA}"),
        (f"a:1@{SHA}", f"docker.io/library/a:1@{SHA}", f"a:1@{SHA}"),
        ("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
    ],
)
def test_short_names_are_completed(text: str, name: str, short: str) -> None:
    reference = parse(text).tagged()
    assert (reference.name, reference.familiar) == (name, short)
    assert familiar(name) == short


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "a:",
        "a::b",
        "/a",
        "a/",
        "a//b",
        "-a",
        "a-",
        "a..b",
        "a___b",
        "a.-b",
        "a b",
        "a:b c",
        "a:-t",
        "a@",
        "ä",
        "a@sha256:12",
        "a@" + SHA.upper(),
        "a:" + "t" * 129,
        "exa mple.com/a",
        "a.com:x/a",
        "../a",
        "a\n",
        ".com/a",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid reference format"):
        parse(text)


def test_special_refusals() -> None:
    with pytest.raises(InvalidParameter, match="must be lowercase"):
        parse("Busybox")
    with pytest.raises(InvalidParameter, match="64-byte hexadecimal"):
        parse("ab" * 32)
    with pytest.raises(InvalidParameter, match="more than 255"):
        parse("a/" * 130 + "a")


def test_ids_are_not_names() -> None:
    assert is_id(SHA)
    assert not is_id(SHA[:-1])
    assert not is_id("sha256:" + "A" * 64)


PIECES = ["a", "b1", "A", ".", "_", "__", "-", "--", "/", ":", "@", "[", "]", "5000", "localhost", SHA, "é"]


def docker_accepts(text: str) -> bool:
    """The grammar, and docker's rule for what is a domain."""
    found = TAIL.fullmatch(text)
    if found is None or re.fullmatch("[0-9a-f]{64}", text):
        return False
    domain, path = "docker.io", found[1]
    first, slash, rest = path.partition("/")
    if slash and (set(first) & set(".:") or first == "localhost" or first != first.lower()):
        domain, path = first, rest
    return bool(re.fullmatch(DOMAIN, domain) and re.fullmatch(rf"{COMPONENT}(?:/{COMPONENT})*", path))


@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_the_grammar_is_dockers(text: str) -> None:
    try:
        reference = parse(text)
    except InvalidParameter:
        assert not docker_accepts(text)
        return
    assert docker_accepts(text)
    assert parse(reference.name) == reference
    assert parse(reference.familiar) == reference
