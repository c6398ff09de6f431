"""run: create and start in one go."""

from __future__ import annotations

from pyctr.engine.container.create import make
from pyctr.engine.container.start import launch
from pyctr.errors import PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.session import ShimSession


def run(
    core: Core, body: t.CreateBody, name: str | None = None, *, attach: bool = True
) -> tuple[str, list[str], ShimSession | None]:
    """``(id, warnings, session)``; see ``interface.Containers.run``."""
    made = make(core, body, name)
    try:
        session = launch(core, made.row, made.doc, made.spec, attach=attach)
    except BaseException as error:
        if made.row.auto_remove:
            from pyctr.engine.container.remove import erase

            erase(core, made.row)
        if isinstance(error, PyctrError):
            error.container_id, error.warnings = made.row.id, made.warnings
        raise
    warnings = made.warnings + session.warnings
    if attach:
        return made.row.id, warnings, session
    session.close()
    return made.row.id, warnings, None
