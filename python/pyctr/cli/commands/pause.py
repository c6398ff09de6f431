"""``pyctr pause``."""

from __future__ import annotations

from pyctr.cli.shared import plain_verb

COMMAND = plain_verb("pause", "Pause all processes within one or more containers", complete="running")
