"""``pyctr unpause``."""

from __future__ import annotations

from pyctr.cli.shared import plain_verb

COMMAND = plain_verb("unpause", "Unpause all processes within one or more containers", complete="paused")
