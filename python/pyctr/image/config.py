"""Image configurations: the JSON whose digest is an image's id (OCI image specification, "config")."""

from __future__ import annotations

from pyctr import _core
from pyctr.errors import InvalidParameter
from pyctr.store.json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pyctr.engine.types import ImageConfig

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "arm64/v8": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
}
_KNOWN = frozenset("386 amd64 arm arm64 loong64 mips64le ppc64le riscv64 s390x".split())  # noqa: SIM905


class Platform:
    """What an image runs on, in Go's words; ``variant`` is mostly empty."""

    __slots__ = ("architecture", "os", "variant")

    def __init__(self, architecture: str, variant: str = "", os: str = "linux") -> None:
        self.os = os
        self.architecture = architecture
        self.variant = variant


def this_machine() -> Platform:
    """The platform we run on."""
    import os

    machine = os.uname().machine
    return Platform(*_ARCHITECTURES.get(machine, (machine, "")))


def parse_platform(text: str) -> Platform:
    """``linux/arm64/v8``, ``linux`` or ``arm64``; the empty text is this machine's."""
    parts = text.lower().split("/") if text else ["linux"]
    if parts == ["linux"]:
        return this_machine()
    if len(parts) == 1:
        parts = ["linux", *parts]
    if parts[0] != "linux":
        raise InvalidParameter(f'cannot use the platform "{text}": only linux images run here')
    if len(parts) > 3 or not all(parts):
        raise InvalidParameter(f'invalid platform "{text}": use OS/ARCH or OS/ARCH/VARIANT')
    architecture, variant = _ARCHITECTURES.get("/".join(parts[1:]), (parts[1], "".join(parts[2:])))
    if architecture not in _KNOWN:
        raise InvalidParameter(f'invalid platform "{text}": unknown architecture {architecture}')
    return Platform(architecture, variant)


def build(
    *,
    created: str,
    platform: Platform,
    config: ImageConfig,
    diff_ids: Sequence[str],
    history: Sequence[dict[str, Any]],
    comment: str = "",
    author: str = "",
) -> str:
    """The document, as the text to store and hash. The same parts always make the same text."""
    document: dict[str, Any] = {"architecture": platform.architecture}
    if platform.variant:
        document["variant"] = platform.variant
    document["os"] = platform.os
    document["created"] = created
    for key, value in (("author", author), ("comment", comment)):
        if value:
            document[key] = value
    document["config"] = config
    document["rootfs"] = {"type": "layers", "diff_ids": list(diff_ids)}
    document["history"] = list(history)
    return dumps(document)


def digest(text: str) -> str:
    """``sha256:`` and the hexadecimal digest of a document's text."""
    return f"sha256:{_core.sha256(text.encode())}"


def chain_ids(diff_ids: Sequence[str]) -> list[str]:
    """The names of the stacks that layers make, bottom first: 64 hexadecimal digits each.

    A chain id names a layer together with all below it, so that equal ones have equal trees.
    """
    chain: list[str] = []
    for diff_id in diff_ids:
        chain.append(
            digest(f"sha256:{chain[-1]} {diff_id}")[7:] if chain else diff_id.removeprefix("sha256:")
        )
    return chain
