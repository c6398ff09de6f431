"""tag: give an image another name."""

from __future__ import annotations

from pyctr.engine.image.find import find
from pyctr.errors import ImageNotFound, InvalidParameter
from pyctr.image import host, reference
from pyctr.store.images import ImageRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core


def tag(core: Core, source: str, target: str) -> None:
    """``POST /images/{name}/tag``. The name is taken from the image that has it, if any."""
    name = new_name(target)
    image = find(core, source)
    if image.is_host:
        raise InvalidParameter("cannot tag host: it is this machine's own root and not in the store")
    if not ImageRows(core.db).set_name(name.name, image.id):
        raise ImageNotFound(f"no such image: {source}")
    core.journal.write("image", "tag", image.id, {"name": name.familiar})


def new_name(text: str) -> reference.Reference:
    """The name a user wants to give, with its tag. InvalidParameter for one that cannot be given."""
    name = reference.parse(text)
    if name.digest:
        raise InvalidParameter(f"refusing to create a tag with a digest reference: {text}")
    name = name.tagged()
    if name.name == host.NAME:
        raise InvalidParameter(
            f'cannot use the name "{name.familiar}": it stands for this machine\'s own root'
        )
    return name
