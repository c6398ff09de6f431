"""rm: claim the container, remove its files, forget it. Goes on whatever fails, and may be run again."""

from __future__ import annotations

from pyctr import _core
from pyctr.engine.state import LAST_SECONDS, LIVE, end, is_live, remove_bundle
from pyctr.errors import Conflict, ContainerNotFound, SystemFailure
from pyctr.store import owner
from pyctr.store.locks import DirLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row


def remove(core: Core, ref: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
    """``DELETE /containers/{id}``."""
    if link:
        raise ContainerNotFound(f"cannot remove the link {ref}: there are no links")
    row = core.container(ref)
    if row.state in LIVE:
        _make_way(core, row, force=force)
    with DirLock(core.paths.container(row.id)):
        found = core.containers.get(row.id)
        if found is None:
            if row.auto_remove:
                return
            raise ContainerNotFound(f"no such container: {ref}")
        if found.state in LIVE:
            if is_live(core, found):
                raise Conflict(f'cannot remove container "/{row.name}": it was started again')
            # Who waits for it reads from the row how it ended.
            found = end(core, found)
            if found is None:
                return
        claim(core, found)
        erase(core, found, volumes=volumes)


def claim(core: Core, row: Row) -> None:
    """Say that we are removing it. A full disk is no reason not to: the lock keeps others away too."""
    try:
        core.containers.set(row.id, state="removing", owner=owner.me())
    except SystemFailure as error:
        if error.errno != 28:
            raise


def erase(core: Core, row: Row, *, volumes: bool = False, quietly: bool = False) -> None:
    """Remove the container's files, its anonymous volumes if asked or ``--rm``, and the row.

    For whoever holds its lock or its claim. What cannot be removed does not keep the rest from going: it is
    moved to the trash, where every later command tries again.
    """
    core.driver.remove(row.id, core.sweeper)
    _core.wait_lock(core.paths.shim_lock(row.id), LAST_SECONDS)
    remove_bundle(core, row)
    core.sweeper.remove(core.paths.container(row.id), core.paths.trash)
    anonymous = _anonymous(core, row) if volumes or row.auto_remove else []
    _forget(core, row.id, anonymous)
    if not quietly:
        core.note(row, "destroy")
    core.sweeper.start()


def _forget(core: Core, id: str, anonymous: list[str]) -> None:
    """Remove the row, and in the same breath the volumes that nobody could find any more."""
    if not anonymous:
        core.containers.delete(id)
        return
    from pyctr.engine.recover import sweep_files
    from pyctr.engine.volume.store import erase as erase_volume

    with core.db.write():
        core.containers.delete(id)
        for name in anonymous:
            erase_volume(core, name)
    sweep_files(core)


def _anonymous(core: Core, row: Row) -> list[str]:
    if not row.mounts:
        return []
    used = (core.volumes.get(name) for name in core.volumes.used_by(row.id))
    return [volume.name for volume in used if volume is not None and volume.anonymous]


def _make_way(core: Core, row: Row, *, force: bool) -> None:
    """End a running container, or say why not."""
    if not force:
        state, advice = "running", "stop the container before removing or force remove"
        if row.state == "paused":
            state, advice = "paused", "unpause and stop the container before removing or force remove"
        raise Conflict(f'cannot remove container "/{row.name}": container is {state}: {advice}')
    from pyctr.engine.container.stop import kill_and_wait

    kill_and_wait(core, row)
