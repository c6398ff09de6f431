"""rename."""

from __future__ import annotations

from pyctr.errors import InvalidParameter
from pyctr.store import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core


def rename(core: Core, ref: str, name: str) -> None:
    """``POST /containers/{id}/rename``."""
    if not ref or not name:
        raise InvalidParameter("neither old nor new names may be empty")
    name = names.check_name("container", name.removeprefix("/"))
    row = core.container(ref)
    if row.name == name:
        raise InvalidParameter("renaming a container with the same name as its current name")
    core.containers.rename(row.id, name)
    core.note(row.replaced(name=name), "rename", oldName="/" + row.name)
