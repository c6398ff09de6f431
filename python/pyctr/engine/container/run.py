"""run: create and start in one go."""

from __future__ import annotations

from pyctr.engine.container.create import make
from pyctr.engine.container.start import launch, spawn
from pyctr.errors import PyctrError
from pyctr.store.names import new_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.session import ShimSession


def run(
    core: Core, body: t.CreateBody, name: str | None = None, *, attach: bool = True
) -> tuple[str, list[str], ShimSession | None]:
    """``(id, warnings, session)``; see ``interface.Containers.run``."""
    id = new_id()
    # It takes as long to come up as we take to tell it what to run.
    session = spawn(core, id)
    try:
        made = make(core, body, name, id)
    except BaseException:
        session.close()
        raise
    try:
        launch(core, made.row, made.doc, made.spec, attach=attach, session=session)
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
