"""rmi and image prune: take names away, and images nobody names or needs any more."""

from __future__ import annotations

from pyctr.engine.image.collect import collect
from pyctr.engine.image.find import find, is_id_like
from pyctr.engine.image.list import check_filters, label_tests, truth, until_tests
from pyctr.errors import Conflict
from pyctr.image import reference
from pyctr.store.images import ImageRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.image.find import Image

    Records = list[dict[str, str]]

_RUNNING = ("running", "paused", "starting")


def remove(core: Core, ref: str, *, force: bool = False, prune: bool = True) -> Records:
    """``DELETE /images/{name}``: what was done, in order. ``prune`` is docker's; there are no parents here.

    By name the name goes, and the image with its last name; by id the image goes with all its names.
    """
    del prune
    image = find(core, ref)
    if image.is_host:
        raise Conflict("cannot remove host: it is this machine's own root and not in the store")
    images = ImageRows(core.db)
    names = images.names_of(image.id)
    by_id = reference.is_id(ref) or (is_id_like(ref) and _name(ref) not in names)
    if by_id:
        _check_id(images, image, names, force=force)
        return _untag_all(core, images, image, names) + _delete(core, image)
    name = _name(ref)
    users = images.containers_of(image.id)
    if users and not force and list(names) == [name]:
        raise Conflict(
            f'conflict: unable to remove repository reference "{ref}" (must force) - '
            f"container {users[0][0][:12]} is using its referenced image {_short(image)}"
        )
    records = _untag(core, images, image, name)
    if len(names) > 1 or any(state in _RUNNING for _, _, state in users):
        return records
    return records + _delete(core, image)


def prune(core: Core, filters: t.Filters | None = None) -> t.PruneReply:
    """``POST /images/prune``: images without a name; with ``dangling=false`` all that no container needs."""
    filters = filters or {}
    check_filters(filters, ("dangling", "label", "label!", "until"))
    tests = [*label_tests(filters), *until_tests(filters)]
    unnamed_only = truth("dangling", filters.get("dangling", ())) is not False
    images = ImageRows(core.db)
    names = images.names()
    before = _stored(core)
    records: Records = []
    for row in images.all():
        named = names.get(row.id, [])
        if (named and unnamed_only) or images.containers_of(row.id):
            continue
        if all(test(row, named) for test in tests):
            image = find(core, row.id)
            records += _untag_all(core, images, image, named) + _delete(core, image)
    records += collect(core)
    return {"ImagesDeleted": records or None, "SpaceReclaimed": before - _stored(core)}


def _check_id(images: ImageRows, image: Image, names: Sequence[str], *, force: bool) -> None:
    """An image in use goes not at all while a container runs, and only by force otherwise."""
    unable = f"conflict: unable to delete {_short(image)}"
    repositories = {reference.parse(name).repository for name in names}
    if len(repositories) > 1 and not force:
        raise Conflict(f"{unable} (must be forced) - image is referenced in multiple repositories")
    for id, _, state in images.containers_of(image.id):
        if state in _RUNNING:
            raise Conflict(
                f"{unable} (cannot be forced) - image is being used by running container {id[:12]}"
            )
        if not force:
            raise Conflict(f"{unable} (must be forced) - image is being used by stopped container {id[:12]}")


def _untag_all(core: Core, images: ImageRows, image: Image, names: Sequence[str]) -> Records:
    return [record for name in names for record in _untag(core, images, image, name)]


def _untag(core: Core, images: ImageRows, image: Image, name: str) -> Records:
    if not images.drop_name(name, image.id):
        return []
    shown = reference.familiar(name)
    core.journal.write("image", "untag", image.id, {"name": shown})
    return [{"Untagged": shown}]


def _delete(core: Core, image: Image) -> Records:
    ImageRows(core.db).remove(image.id)
    core.journal.write("image", "delete", image.id, {"name": image.id})
    return [{"Deleted": image.id}, *collect(core)]


def _stored(core: Core) -> int:
    """Bytes of all layers."""
    (total,) = core.db.row("SELECT coalesce(sum(size), 0) FROM layers") or (0,)
    return int(total)


def _name(ref: str) -> str:
    """The normalized name; empty for what can be none."""
    if len(ref) == 64 and is_id_like(ref):
        return ""
    return reference.parse(ref).tagged().name


def _short(image: Image) -> str:
    return image.id[7:19]
