"""``pyctr-oci``: the OCI runtime. All of it is the static binary in ``_bin``; this makes way for it."""

from __future__ import annotations

import os
import sys

BINARY = os.path.join(os.path.dirname(__file__), "_bin", "pyctr-shim")


def main() -> int:
    """Become the binary; only returns, with 1, when that is impossible."""
    try:
        os.execv(BINARY, ["pyctr-oci", *sys.argv[1:]])
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sys.stderr.write(f"pyctr-oci: cannot execute {BINARY}: {reason}\n")
        return 1
