from __future__ import annotations

import hashlib
import json

import pytest

from pyctr.errors import InvalidParameter
from pyctr.image import host
from pyctr.image.config import build, chain_ids, digest, parse_platform, this_machine

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def test_the_digest_is_sha256() -> None:
    assert digest("x") == "sha256:" + hashlib.sha256(b"x").hexdigest()


def test_chain_ids_name_a_layer_and_all_below() -> None:
    """The example of the OCI image specification: ChainID(A|B) = Digest(ChainID(A) + " " + DiffID(B))."""
    first, second, third = chain_ids([A, B, C])
    assert first == "a" * 64
    assert second == hashlib.sha256(f"{A} {B}".encode()).hexdigest()
    assert third == hashlib.sha256(f"sha256:{second} {C}".encode()).hexdigest()
    assert chain_ids([]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", ("linux", "amd64", "")),
        ("linux/x86_64", ("linux", "amd64", "")),
        ("arm64", ("linux", "arm64", "")),
        ("linux/arm64/v8", ("linux", "arm64", "")),
        ("linux/arm/v6", ("linux", "arm", "v6")),
        ("Linux/S390X", ("linux", "s390x", "")),
    ],
)
def test_platforms(text: str, expected: tuple[str, str, str]) -> None:
    platform = parse_platform(text)
    assert (platform.os, platform.architecture, platform.variant) == expected


def test_the_default_platform_is_this_machine() -> None:
    for text in ("", "linux"):
        assert parse_platform(text).architecture == this_machine().architecture


@pytest.mark.parametrize("text", ["windows/amd64", "linux/pdp11", "linux//", "a/b/c/d", "linux/arm/v6/x"])
def test_bad_platforms(text: str) -> None:
    with pytest.raises(InvalidParameter, match="platform"):
        parse_platform(text)


def test_the_same_parts_make_the_same_text() -> None:
    def document() -> str:
        return build(created="x", platform=this_machine(), config={"Env": ["ä=1"]}, diff_ids=[A], history=[])

    assert document() == document()
    assert json.loads(document())["rootfs"] == {"type": "layers", "diff_ids": [A]}


def test_the_host_is_an_image_like_any_other() -> None:
    document = json.loads(host.document())
    assert host.image_id() == digest(host.document())
    assert document["config"]["Cmd"][0] in ("bash", "sh")
    assert document["rootfs"]["diff_ids"] == []
    assert host.is_meant("host")
    assert host.is_meant("host:latest")
    assert not host.is_meant("host:1")
    assert not host.is_meant("ghost")
