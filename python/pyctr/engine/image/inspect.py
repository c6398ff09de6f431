"""inspect and history: what is known of an image."""

from __future__ import annotations

from pyctr.engine.clock import parse_rfc3339, rfc3339
from pyctr.engine.image.find import find
from pyctr.engine.image.list import tags_and_digests
from pyctr.image import host
from pyctr.image.config import chain_ids
from pyctr.store.images import ImageRows, LayerRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.image.find import Image


def inspect(core: Core, ref: str) -> t.ImageInspect:
    """``GET /images/{name}/json``."""
    image = find(core, ref)
    document = image.document
    tags, digests = tags_and_digests(names_of(core, image))
    result: t.ImageInspect = {
        "Id": image.id,
        "RepoTags": tags,
        "RepoDigests": digests,
        "Parent": "",
        "Comment": document.get("comment") or "",
        "Created": rfc3339(image.created) if image.created else host.CREATED,
        "DockerVersion": "",
        "Author": document.get("author") or "",
        "Config": image.config,
        "Architecture": document["architecture"],
        "Os": document["os"],
        "Size": image.size,
        "GraphDriver": {"Name": core.driver.name, "Data": None},
        "RootFS": {"Type": "layers", "Layers": document["rootfs"]["diff_ids"]},
        "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
    }
    if document.get("variant"):
        result["Variant"] = document["variant"]
    return result


def names_of(core: Core, image: Image) -> Sequence[str]:
    """The normalized names of an image."""
    return [host.NAME] if image.is_host else ImageRows(core.db).names_of(image.id)


def history(core: Core, ref: str) -> list[t.Json]:
    """``GET /images/{name}/history``: the steps it was made in, the last one first."""
    image = find(core, ref)
    layers = LayerRows(core.db)
    chain = iter(chain_ids(image.document["rootfs"]["diff_ids"]))
    steps: list[t.Json] = []
    for step in image.document.get("history") or ():
        size = 0 if step.get("empty_layer") else layers.size(next(chain, ""))
        steps.append(
            {
                "Id": "<missing>",
                "Created": _seconds(step.get("created")),
                "CreatedBy": step.get("created_by") or "",
                "Tags": None,
                "Size": size,
                "Comment": step.get("comment") or "",
            }
        )
    steps.reverse()
    if steps:
        steps[0] |= {"Id": image.id, "Tags": tags_and_digests(names_of(core, image))[0] or None}
    return steps


def _seconds(text: str | None) -> int:
    try:
        return parse_rfc3339(text or "") // 1_000_000_000
    except ValueError:
        return 0
