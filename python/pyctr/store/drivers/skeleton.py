"""What every container has mounted on, as a layer below all others.

An image that lacks ``/proc`` or ``/etc/hosts`` shows the one from here, so that a container starts without a
write to its own layer, and ``diff`` names only what the container did. What the image has hides it.
"""

from __future__ import annotations

import os

from pyctr.store import files
from pyctr.store.paths import store_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.store.paths import Paths

DIRECTORIES = (
    ("dev", 0o755),
    ("dev/pts", 0o755),
    ("dev/shm", 0o755),
    ("etc", 0o755),
    ("proc", 0o555),
    ("sys", 0o555),
)
FILES = ("etc/hostname", "etc/hosts", "etc/resolv.conf")


def make(path: str) -> None:
    """Fill an empty directory."""
    for name, mode in DIRECTORIES:
        os.mkdir(f"{path}/{name}")
        os.chmod(f"{path}/{name}", mode)  # whatever the umask is
    for name in FILES:
        files.write(f"{path}/{name}", b"")
        os.chmod(f"{path}/{name}", 0o644)


def ensure(path: str, paths: Paths) -> None:
    """Make the directory ``path`` and fill it, in one step; one that is there is kept."""
    if os.path.isdir(path):
        return
    staging = files.temporary(paths)
    try:
        os.mkdir(staging)
        os.chmod(staging, 0o755)
        make(staging)
        os.rename(staging, path)
    except OSError as error:
        files.remove_tree(staging)
        if not os.path.isdir(path):
            raise store_error(f"make the directory {path}", error) from error
