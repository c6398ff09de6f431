"""The image ``host``, which is always there: the machine's own root, read-only, under a writable layer.

What it exposes, plainly: everything that root can read on the file system of ``/`` can be read in a container
of it, secrets and private keys included; nothing there can be changed. Other file systems mounted below ``/``
are not part of it: their mount points are empty directories, as are /proc, /sys, /dev and /run until the
container gets its own. pyctr's own data is hidden, also from privileged containers.
"""

from __future__ import annotations

import os

from pyctr.image.config import PATH, build, digest, this_machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyctr.store.paths import Paths

NAME = "docker.io/library/host:latest"
"""Normalized, like the names in the store. It cannot be given to another image."""
FAMILIAR = "host:latest"
LAYERS = ("host",)
"""The one layer, which every driver that can have it knows by this name."""
CREATED = "1970-01-01T00:00:00Z"

_SHELLS = ("/bin/bash", "/bin/sh")


def is_meant(ref: str) -> bool:
    """Whether a user who types this means the host."""
    return ref in ("host", FAMILIAR, NAME, "library/host", "docker.io/library/host")


def document() -> str:
    """Its configuration, which depends on nothing but the platform and the shells there are."""
    shell = next((path for path in _SHELLS if os.path.exists(path)), _SHELLS[-1])
    return build(
        created=CREATED,
        platform=this_machine(),
        config={"Env": [PATH], "Cmd": [os.path.basename(shell)], "WorkingDir": "/"},
        diff_ids=(),
        history=[{"created": CREATED, "created_by": "this machine's own root", "empty_layer": True}],
    )


def image_id() -> str:
    """Its id: as for any image the digest of the configuration."""
    return digest(document())


def masked(paths: Paths) -> Sequence[str]:
    """What a container of it must not see: the store, where every other container's files are."""
    return [path for path in dict.fromkeys((paths.root, paths.run_root)) if path != "/"]
