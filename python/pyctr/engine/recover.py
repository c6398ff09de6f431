"""Clear up after the dead: what a killed process, a killed supervisor or a reboot left half done."""

from __future__ import annotations

import os
import time

from pyctr import _core
from pyctr.engine import cgroups
from pyctr.engine.image.collect import collect_leftovers
from pyctr.engine.state import STARTABLE, end, is_live, refresh_all, remove_bundle
from pyctr.store import files, names, owner
from pyctr.store.json import loads
from pyctr.store.locks import DirLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row


START_SECONDS = 1.0
"""How long a supervisor may take from the death of its starter until it has something to show or ends."""
LOOK_SECONDS = 0.02
"""How often to look for that."""


def take_over(core: Core, id: str, claimant: str) -> None:
    """Finish or undo what a process was doing with a container, if that process is dead."""
    if owner.alive(claimant) or not core.containers.take_over(id, claimant, owner.me()):
        return
    with DirLock(core.paths.container(id)):
        row = core.containers.get(id)
        if row is None or row.owner != owner.me():
            return
        if row.state == "removing":
            _erase(core, row)
        elif _comes_up(core, row):
            _adopt(core, row, claimant)
        elif row.state == "creating":
            _clear_cgroups(core, row)
            _erase(core, row)
        elif row.state == "starting":
            _undo_start(core, row)
        else:
            core.containers.set(id, owner="")


def everything(core: Core) -> list[Row]:
    """Look at every container, and sweep what no row names; gives the rows as they are now."""
    core.sweep()
    rows = refresh_all(core, core.containers.list())
    sweep_files(core)
    sweep_orphans(core, rows)
    collect_leftovers(core)
    return rows


def sweep_files(core: Core) -> None:
    """Empty the trashes, and ``tmp/`` of what belongs to dead processes."""
    for trash in (core.paths.trash, core.paths.run_trash):
        for name in _entries(trash):
            files.remove_tree(f"{trash}/{name}")
    for name in _entries(core.paths.tmp):
        if not owner.alive(name.partition(".")[0]):
            files.remove_tree(f"{core.paths.tmp}/{name}")


def sweep_orphans(core: Core, rows: list[Row]) -> None:
    """Remove containers' directories that no row names, and bundles of containers that have ended.

    A failing disk kept them from being removed, or death whoever was about to. A directory tells how many are
    in it, so that usually nobody has to read their names.
    """
    bundles = sum(row.state not in STARTABLE for row in rows)
    for home, expected in ((core.paths.containers, len(rows)), (core.paths.run_containers, bundles)):
        if _directories_in(home) <= expected:
            continue
        for id in filter(names.is_id, _entries(home)):
            # Its row comes first, so a directory without a row now will never get one.
            if core.containers.get(id) is None:
                cgroups.destroy_orphan(id)
                files.remove_tree(f"{home}/{id}")
                core.driver.remove(id, core.sweeper)
            elif home == core.paths.run_containers:
                _sweep_bundle(core, id)


def _sweep_bundle(core: Core, id: str) -> None:
    """Remove the bundle of a container that has ended, unless somebody is at work on it."""
    with DirLock(core.paths.container(id), wait=False) as lock:
        row = core.containers.get(id)
        if lock.held and row is not None and row.state in STARTABLE and not is_live(core, row):
            remove_bundle(core, row)


def _directories_in(path: str) -> int:
    """How many directories are in one, by its links; too many where the file system does not count."""
    try:
        links = os.stat(path).st_nlink
    except OSError:
        return 0
    return links - 2 if links > 2 else len(_entries(path))


def _entries(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _comes_up(core: Core, row: Row) -> bool:
    """Whether a container that a dead process was starting has a supervisor; waits until it knows."""
    state, deadline = _state_file(core, row), time.monotonic() + START_SECONDS
    while is_live(core, row):
        if os.path.exists(state) or time.monotonic() > deadline:
            return True
        _core.wait_lock(core.paths.shim_lock(row.id), LOOK_SECONDS)
    return False


def _adopt(core: Core, row: Row, claimant: str) -> None:
    """Its starter died, its supervisor lives: it runs. The supervisor is not asked, for it may be stuck."""
    path, pid, started = _state_file(core, row), 0, time.time_ns()
    try:
        started = os.stat(path).st_mtime_ns
        pid = int(loads(files.read(path))["init"]["pid"])
    except FileNotFoundError:
        # It has not come so far: the next command looks again.
        core.containers.take_over(row.id, owner.me(), claimant)
        return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    core.containers.set(row.id, state="running", owner="", pid=pid, started=started, boot=owner.boot_id())


def _state_file(core: Core, row: Row) -> str:
    return f"{core.paths.bundle(row.id)}/state.json"


def _undo_start(core: Core, row: Row) -> None:
    """Its starter died, and there is no supervisor: it ran and ended, or it never ran."""
    if os.path.exists(core.paths.exit(row.id, row.auto_remove)):
        end(core, row)
        return
    _clear_cgroups(core, row)
    files.remove_tree(core.paths.bundle(row.id))
    core.containers.set(row.id, state="exited" if row.finished else "created", owner="")


def _erase(core: Core, row: Row) -> None:
    from pyctr.engine.container.remove import erase

    erase(core, row, volumes=row.state == "creating")


def _clear_cgroups(core: Core, row: Row) -> None:
    from pyctr.engine import cgroups

    cgroups.destroy(core, row)
