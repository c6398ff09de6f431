"""One way to build a specification in a line."""

from __future__ import annotations

from typing import Any

from pyctr.engine.spec import HostFacts, build
from pyctr.engine.spec.points import planned

ID = "0123456789abcdef" * 4


def make(**keys: Any) -> tuple[dict[str, Any], list[str]]:
    """Build a container that runs ``true``.

    Keys are those of HostConfig; lower-case ones are attributes of HostFacts, or ``config``.
    """
    config = {"Cmd": ["true"], "Hostname": "box", **keys.pop("config", {})}
    facts = HostFacts(ID)
    for name in [key for key in keys if key[0].islower()]:
        setattr(facts, name, keys.pop(name))
    host: Any = keys
    facts.points = facts.points or planned(config.get("Volumes"), host)
    body: Any = {**config, "HostConfig": host}
    return build(None, body, facts)
