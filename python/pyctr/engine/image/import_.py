"""import: an archive of a root file system becomes an image of one layer."""

from __future__ import annotations

import os
import time

from pyctr.engine.clock import rfc3339
from pyctr.engine.image.collect import collect_leftovers
from pyctr.engine.image.tag import new_name
from pyctr.errors import InvalidImage
from pyctr.image.changes import apply
from pyctr.image.config import build, chain_ids, digest, parse_platform
from pyctr.store.images import ImageRow, ImageRows, LayerRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyctr._core import Applied
    from pyctr.engine.core import Core


def import_image(
    core: Core,
    fd: int,
    *,
    ref: str | None = None,
    changes: Sequence[str] | None = None,
    message: str = "",
    platform: str = "",
    source: str = "-",
) -> str:
    """``POST /images/create?fromSrc=``: read the archive from ``fd`` to its end; gives the image's id.

    ``source`` is where it came from, for the history. InvalidImage when the archive is damaged or refused.
    Whatever fails, or dies, leaves no image; everything is on the disk when this returns.
    """
    name = new_name(ref) if ref else None
    target = parse_platform(platform)
    config = apply({}, changes or ())
    token = os.urandom(16).hex()
    layers = LayerRows(core.db)
    try:
        with core.driver.stage(()) as staging:
            applied = staging.apply(fd)
            if not applied["complete"]:
                raise InvalidImage("the archive has no end mark: it was cut short")
            (layer,) = chain_ids([applied["diff_id"]])
            layers.claim(layer, applied["diff_id"], applied["content"], token)
            staging.commit(layer)
        now = time.time_ns()
        created = rfc3339(now)
        step = {"created": created, "comment": message or f"Imported from {source}"}
        text = build(
            created=created,
            platform=target,
            config=config,
            diff_ids=[applied["diff_id"]],
            history=[step],
            comment=message or f"Imported from {source}",
        )
        row = _row(text, now, layer, applied)
        ImageRows(core.db).add(row, name.name if name else "")
    except BaseException:
        layers.release(token)
        collect_leftovers(core)
        raise
    layers.release(token)
    core.journal.write("image", "import", row.id, {"name": name.familiar if name else row.id})
    return row.id


def _row(text: str, created: int, layer: str, applied: Applied) -> ImageRow:
    return ImageRow(digest(text), created, applied["content"], layer, text)
