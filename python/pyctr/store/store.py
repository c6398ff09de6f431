"""A store: the database, the journal and the files, as one thing to hand around."""

from __future__ import annotations

from pyctr.store.containers import ContainerRows
from pyctr.store.db import Database
from pyctr.store.journal import Journal
from pyctr.store.paths import Paths
from pyctr.store.sweeper import Sweeper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.store.volumes import VolumeRows


class Store:
    """Everything on disk. Cheap to make, safe to share between threads."""

    __slots__ = ("_volumes", "containers", "db", "journal", "paths", "sweeper")

    def __init__(
        self, root: str | None = None, run_root: str | None = None, *, lasting: bool = False
    ) -> None:
        """``lasting`` is a process that lives on, and may do some of its work later."""
        self.paths = Paths(root, run_root)
        self.db = Database(self.paths)
        self.containers = ContainerRows(self.db)
        self._volumes: VolumeRows | None = None
        self.journal = Journal(self.paths.journal)
        self.sweeper = Sweeper(lasting=lasting)

    @property
    def volumes(self) -> VolumeRows:
        """The volumes, which most commands have nothing to do with."""
        if self._volumes is None:
            from pyctr.store.volumes import VolumeRows

            self._volumes = VolumeRows(self.db)
        return self._volumes

    def close(self) -> None:
        self.sweeper.wait()
        self.db.close()
        self.journal.close()
