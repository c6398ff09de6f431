"""Debian's kernel for virtual machines, unpacked into a cache and never installed."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "linux-image-cloud-amd64"


@dataclass(frozen=True)
class Kernel:
    """Where the parts of an unpacked kernel are."""

    image: Path
    modules: Path


def fetch() -> Kernel:
    """Find the kernel in the cache, or download and unpack the one that the package lists name."""
    name = _package()
    place = _cache() / name
    if not place.exists():
        _unpack(name, place)
    (image,) = (place / "boot").glob("vmlinuz-*")
    (modules,) = (place / "lib/modules").iterdir()
    return Kernel(image, modules)


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "pyctr-tests"


def _package() -> str:
    """The package that the metapackage depends on."""
    listing = subprocess.run(
        ["apt-cache", "depends", PACKAGE], check=True, capture_output=True, text=True
    ).stdout
    found = re.search(r"Depends: (linux-image-\S+)", listing)
    if not found:
        msg = f"the package lists have no {PACKAGE}; run apt-get update"
        raise FileNotFoundError(msg)
    return found[1]


def _unpack(name: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as work:
        subprocess.run(["apt-get", "-q", "download", name], check=True, cwd=work, capture_output=True)
        (package,) = Path(work).glob("*.deb")
        subprocess.run(["dpkg", "-x", package, "tree"], check=True, cwd=work)
        (Path(work) / "tree").rename(place)
