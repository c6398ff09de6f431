"""Which image a user means, and what a container needs to know of it."""

from __future__ import annotations

from pyctr.errors import ImageNotFound, InvalidParameter
from pyctr.image import host, reference
from pyctr.store.images import ImageRow, ImageRows
from pyctr.store.json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyctr.engine.core import Core
    from pyctr.engine.types import ImageConfig, Json

_HEX = frozenset("0123456789abcdef")


class Image:
    """An image: its id (``sha256:…``), its layers (chain ids, top first), and its document."""

    __slots__ = ("created", "document", "id", "layers", "size")

    def __init__(self, row: ImageRow) -> None:
        self.id = row.id
        self.created = row.created
        self.size = row.size
        self.layers: Sequence[str] = row.layers
        self.document: Json = loads(row.doc)

    @property
    def config(self) -> ImageConfig:
        """What it says about containers made from it."""
        config: ImageConfig = self.document.get("config") or {}
        return config

    @property
    def is_host(self) -> bool:
        return tuple(self.layers) == host.LAYERS


def find(core: Core, ref: str) -> Image:
    """The image a user means: a full id, a reference, or an unambiguous prefix of an id.

    ImageNotFound; InvalidParameter when it can be no image at all.
    """
    images = ImageRows(core.db)
    if host.is_meant(ref):
        return Image(host_row())
    if reference.is_id(ref):
        row = images.get(ref) or _host_by_prefix(ref)
    else:
        row = _by_name(images, ref) or _by_prefix(images, ref)
    if row is None:
        raise ImageNotFound(f"no such image: {_shown(ref)}")
    return Image(row)


def family(core: Core, ref: str) -> set[str]:
    """The ids of an image and of all that stand on it; nothing when there is no such image."""
    try:
        base = find(core, ref)
    except (ImageNotFound, InvalidParameter):
        return set()
    return {base.id, *(row.id for row in ImageRows(core.db).all() if _stands_on(row, base))}


def _stands_on(row: ImageRow, base: Image) -> bool:
    """Whether it has more layers than the base and those at the bottom, or as many and a longer history."""
    layers = tuple(base.layers)
    if not layers or row.layers[-len(layers) :] != layers:
        return False
    if len(row.layers) > len(layers):
        return True
    steps = base.document.get("history") or []
    history = loads(row.doc).get("history") or []
    return len(history) > len(steps) > 0 and history[: len(steps)] == steps


def host_row() -> ImageRow:
    """The row that the image ``host`` would have."""
    return ImageRow(host.image_id(), 0, 0, " ".join(host.LAYERS), host.document())


def is_id_like(ref: str) -> bool:
    """Whether it can be (the beginning of) an id, with or without ``sha256:``."""
    digits = ref.removeprefix("sha256:")
    return 0 < len(digits) <= 64 and _HEX.issuperset(digits)


def _by_name(images: ImageRows, ref: str) -> ImageRow | None:
    try:
        named = reference.parse(ref).tagged()
    except InvalidParameter:
        if is_id_like(ref):
            return None
        raise
    if named.digest:
        named.tag = ""  # the digest says more than any tag
    return images.named(named.name)


def _by_prefix(images: ImageRows, ref: str) -> ImageRow | None:
    if not is_id_like(ref):
        return _host_by_prefix(ref)
    found = images.starting_with("sha256:" + ref.removeprefix("sha256:"))
    return images.get(found[0]) if len(found) == 1 else _host_by_prefix(ref)


def _host_by_prefix(ref: str) -> ImageRow | None:
    row = host_row()
    is_prefix = len(ref) >= 4 and row.id[7:].startswith(ref.removeprefix("sha256:"))
    return row if is_prefix else None


def _shown(ref: str) -> str:
    try:
        return reference.parse(ref).tagged().familiar
    except InvalidParameter:
        return ref
