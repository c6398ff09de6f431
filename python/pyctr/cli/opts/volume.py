"""``-v [source:]target[:options]``, the short form of mounts."""

from __future__ import annotations

import os

_DRIVE = 1  # one letter before a colon is taken for a Windows drive, as in docker


def is_bind(spec: str) -> bool:
    """Tell whether ``-v`` names a host path, after checking the form. Raises ValueError."""
    return _source(spec)[:1] in (".", "/", "~")


def bind(spec: str) -> str | None:
    """Return the ``HostConfig.Binds`` entry of a ``-v`` value, or None when it is an anonymous volume."""
    source = _source(spec)
    if not source:
        return None
    if source[0] in "./~":
        host, _, rest = spec.partition(":")
        if host.startswith("."):
            host = os.path.abspath(host)
        return f"{host}:{rest}"
    return spec


def _source(spec: str) -> str:
    """Return what is before the target, empty for an anonymous volume."""
    if not spec:
        raise ValueError("invalid empty volume spec")
    if len(spec.encode(errors="surrogateescape")) <= 2:
        return ""
    sections = _sections(spec)
    if not all(sections):
        raise ValueError(f"invalid spec: {spec}: empty section between colons")
    if len(sections) > 3:
        raise ValueError(f"invalid spec: {spec}: too many colons")
    return sections[0] if len(sections) > 1 else ""


def _sections(spec: str) -> list[str]:
    """Split at colons, except after a single letter."""
    sections = [""]
    for character in spec:
        current = sections[-1]
        if character == ":" and not (len(current) == _DRIVE and current.isalpha()):
            sections.append("")
        else:
            sections[-1] += character
    return sections
