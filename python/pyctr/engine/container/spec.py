"""config.json of a container, from its document and what the engine finds out."""

from __future__ import annotations

from pyctr.engine.container.netfiles import locate
from pyctr.engine.facts import gather
from pyctr.engine.spec import build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.core import Core

    Document = dict[str, Any]


def build_spec(core: Core, id: str, doc: Document, *, dry: bool = False) -> tuple[Document, list[str]]:
    """The specification and warnings. ``dry``: only to see whether it can be made."""
    facts = gather(core, id, doc, dry=dry)
    locate(core, id, doc["HostConfig"], facts)
    body: t.CreateBody = doc["Config"] | {"HostConfig": doc["HostConfig"]}
    spec, warnings = build(None, body, facts)
    if doc.get("HostImage"):
        from pyctr.image.host import masked

        spec["linux"]["maskedPaths"] = [*spec["linux"].get("maskedPaths", ()), *masked(core.paths)]
    return spec, warnings


def joins_others(host: Document) -> bool:
    """Whether its namespaces are only known when it starts."""
    return any(
        str(host.get(key) or "").startswith("container:") for key in ("NetworkMode", "IpcMode", "PidMode")
    )
