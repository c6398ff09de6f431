"""The rows of the volumes table, and who uses which."""

from __future__ import annotations

from pyctr.errors import NotFound
from pyctr.store.db import UniqueViolation
from pyctr.store.json import dumps, loads_or

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.store.db import Database

    Names = list[str]


class VolumeRow:
    """One volume as the database has it."""

    __slots__ = ("anonymous", "created", "labels", "name", "options")

    def __init__(self, name: str, created: int, anonymous: int, labels: str, options: str) -> None:
        self.name = name
        self.created = created
        self.anonymous = bool(anonymous)
        self.labels: dict[str, str] = loads_or(labels, {})
        self.options: dict[str, str] = loads_or(options, {})


_SELECT = "SELECT name, created, anonymous, labels, options FROM volumes "


class VolumeRows:
    """What the engine asks of the tables."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, row: VolumeRow) -> bool:
        """Add a volume; False when there is one of that name."""
        labels = dumps(row.labels) if row.labels else ""
        options = dumps(row.options) if row.options else ""
        values = (row.name, row.created, int(row.anonymous), labels, options)
        try:
            self._db.execute("INSERT INTO volumes VALUES (?,?,?,?,?)", values)
        except UniqueViolation:
            return False
        return True

    def get(self, name: str) -> VolumeRow | None:
        values = self._db.row(_SELECT + "WHERE name = ?", (name,))
        return VolumeRow(*values) if values else None

    def find(self, name: str) -> VolumeRow:
        row = self.get(name)
        if row is None:
            raise NotFound(f"get {name}: no such volume")
        return row

    def use(self, container: str, volume: str) -> None:
        """Note that a container needs a volume; harmless when it is noted already."""
        self._db.execute("INSERT OR IGNORE INTO volume_users VALUES (?,?)", (volume, container))

    def users(self, volume: str) -> Names:
        """The ids of the containers that need the volume."""
        found = self._db.rows("SELECT container FROM volume_users WHERE volume = ? ORDER BY 1", (volume,))
        return [container for (container,) in found]

    def used_by(self, container: str) -> Names:
        """The volumes a container needs."""
        found = self._db.rows("SELECT volume FROM volume_users WHERE container = ? ORDER BY 1", (container,))
        return [volume for (volume,) in found]

    def in_use(self) -> dict[str, int]:
        """How many containers need each volume."""
        found = self._db.rows("SELECT volume, count(*) FROM volume_users GROUP BY volume")
        return {volume: count for volume, count in found}  # noqa: C416 - typed on the way

    def delete_unused(self, name: str) -> bool:
        """Forget the volume unless a container needs it; says whether it is forgotten."""
        unused = "NOT EXISTS (SELECT 1 FROM volume_users WHERE volume = volumes.name)"
        return self._db.execute(f"DELETE FROM volumes WHERE name = ? AND {unused}", (name,)) == 1

    def list(self) -> list[VolumeRow]:
        return [VolumeRow(*values) for values in self._db.rows(_SELECT + "ORDER BY name")]
