"""Making and removing volumes: a row first, then a directory; the directory gone before the row."""

from __future__ import annotations

import os
import time

from pyctr.errors import Conflict, InvalidParameter, NotFound
from pyctr.store import files, names
from pyctr.store.paths import store_error
from pyctr.store.volumes import VolumeRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.store.store import Store


def make(store: Store, name: str, labels: dict[str, str], options: dict[str, str]) -> bool:
    """Make a volume unless there is one of that name; says whether it is new."""
    row = VolumeRow(name, time.time_ns(), 0, "", "")
    row.labels, row.options = labels, options
    new = store.volumes.add(row)
    try:
        make_directories(store, name)
    except OSError as error:
        if new:
            store.volumes.delete_unused(name)
        raise store_error(f"make the volume {name}", error) from error
    if new:
        store.journal.write("volume", "create", name, {"driver": "local"})
    return new


def make_directories(store: Store, name: str) -> None:
    """The volume's place on disk; harmless when it is there."""
    path = store.paths.volume(name)
    for directory, mode in ((path, 0o701), (path + "/_data", 0o755)):
        try:
            os.mkdir(directory, mode)
            os.chmod(directory, mode)
        except FileExistsError:
            continue


def data(store: Store, name: str) -> str:
    """Where the volume's content is."""
    return store.paths.volume(name) + "/_data"


def remove(store: Store, name: str, *, force: bool = False) -> None:
    """Remove a volume that no container needs."""
    row = store.volumes.get(name)
    if row is None:
        if force:
            return
        raise NotFound(f"get {name}: no such volume")
    users = store.volumes.users(row.name)
    if users:
        raise Conflict(f"remove {name}: volume is in use - [{', '.join(users)}]")
    if not erase(store, row.name):
        raise Conflict(f"remove {name}: volume is in use")


def erase(store: Store, name: str) -> bool:
    """Remove the volume unless a container needs it; says whether it is gone."""
    with store.db.write():
        if not store.volumes.delete_unused(name):
            return False
        # Out of sight before the row is gone for good: a volume made anew under the name starts empty.
        trash = files.discard(store.paths.volume(name), store.paths.trash)
        store.journal.write("volume", "destroy", name, {"driver": "local"})
    if trash and not store.db.connection().in_transaction:  # else it is swept later
        files.remove_tree(trash)
    return True


def check_name(name: str) -> str:
    """Give a volume's name back; who mistook it for a path is told what to do."""
    if len(name) == 1:
        raise InvalidParameter(
            f"create {name}: volume name is too short, names should be at least two alphanumeric characters"
        )
    if not names.is_name(name):
        raise InvalidParameter(
            f'create {name}: "{name}" includes invalid characters for a local volume name, '
            'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed: to pass a host directory, use an absolute path'
        )
    return name


def check_driver(driver: str, options: dict[str, str]) -> None:
    """The one driver there is, and that it takes no options yet."""
    if driver not in ("", "local"):
        raise InvalidParameter(f'error looking up volume plugin {driver}: plugin "{driver}" not found')
    if options:
        raise InvalidParameter(f'invalid option: "{next(iter(options))}": the local driver takes none')
