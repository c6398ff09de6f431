"""What every verb needs at hand: the store, the images, the storage driver, and the journal's words."""

from __future__ import annotations

from pyctr.errors import DamagedStore, ImageNotFound
from pyctr.store.json import loads, loads_or
from pyctr.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.image.find import Image
    from pyctr.store.containers import Row
    from pyctr.store.drivers.base import Driver

    Document = dict[str, Any]


class Core(Store):
    """A store with what the engine remembers about it. One per engine, shared by its threads."""

    __slots__ = ("_driver", "_wanted_driver", "swept")

    def __init__(
        self,
        root: str | None = None,
        run_root: str | None = None,
        storage_driver: str = "",
        *,
        lasting: bool = False,
    ) -> None:
        super().__init__(root, run_root, lasting=lasting)
        self.swept = False
        self._wanted_driver = storage_driver
        self._driver: Driver | None = None

    def container(self, ref: str) -> Row:
        """The container a user means, as it is now."""
        from pyctr.engine.state import refresh

        self.sweep()
        row = self.containers.find(ref)
        return refresh(self, row) or self.containers.find(row.id)

    def sweep(self) -> None:
        """Take over what dead processes left half done: once, by the first call that meets containers."""
        if not self.swept:
            self.swept = True
            from pyctr.engine.recover import take_over

            for id, owner in self.containers.at_work():
                take_over(self, id, owner)

    @property
    def driver(self) -> Driver:
        """The storage driver of this store."""
        if self._driver is None:
            from pyctr.store.drivers import choose

            self._driver = choose(self.paths, self._wanted_driver)
        return self._driver

    def config(self, row: Row) -> t.ContainerConfig:
        """What runs in a container, whatever the host."""
        config: t.ContainerConfig = self.document(row)["Config"]
        return config

    def execs_of(self, id: str) -> list[str]:
        """The ids of the execs of a container that are still noted."""
        found = self.db.rows("SELECT id FROM execs WHERE container = ? AND state <> 'exited'", (id,))
        return [exec_id for (exec_id,) in found]

    def document(self, row: Row) -> Document:
        """What a container was made from: Path, Args, Config, HostConfig, Points, Driver. DamagedStore."""
        try:
            document: Document = loads(row.doc)
            _ = document["Config"], document["HostConfig"], document["Points"]
        except (ValueError, KeyError, TypeError):
            raise DamagedStore(
                f"the record of container {row.name} in {self.paths.meta} is damaged"
            ) from None
        return document

    def note(self, row: Row, action: str, *, at: int = 0, **attributes: str) -> None:
        """Write an event about a container to the journal; ``at`` in ns, 0 for now."""
        labels = loads_or(row.labels, {})
        attributes = {**labels, "image": row.image, "name": row.name, **attributes}
        self.journal.write("container", action, row.id, attributes, at)

    def image(self, ref: str) -> Image:
        """The image a user means. ImageNotFound."""
        from pyctr.engine.image.find import find

        return find(self, ref)

    def sizes(self, row: Row) -> tuple[int, int]:
        """Bytes of the container's own files, and of those with its image's."""
        own = self.driver.size(row.id)
        try:
            return own, own + self.image(row.image_id).size
        except ImageNotFound:
            return own, own
