"""A store: the database, the journal and the files, as one thing to hand around."""

from __future__ import annotations

from pyctr.store.containers import ContainerRows
from pyctr.store.db import Database
from pyctr.store.journal import Journal
from pyctr.store.paths import Paths
from pyctr.store.volumes import VolumeRows


class Store:
    """Everything on disk. Cheap to make, safe to share between threads."""

    __slots__ = ("containers", "db", "journal", "paths", "volumes")

    def __init__(self, root: str | None = None, run_root: str | None = None) -> None:
        self.paths = Paths(root, run_root)
        self.db = Database(self.paths)
        self.containers = ContainerRows(self.db)
        self.volumes = VolumeRows(self.db)
        self.journal = Journal(self.paths.journal)

    def close(self) -> None:
        self.db.close()
        self.journal.close()
