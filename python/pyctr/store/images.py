"""The rows of images, their names, and the layers they stand on.

A layer is in the store once, under its chain id, however many images have it. It stays while an image has it
or a live process claims it. Its row is written before its directory and removed after it.
"""

from __future__ import annotations

from pyctr.store import owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyctr.store.db import Database


class ImageRow:
    """One image as the database has it. ``doc`` is the JSON text whose digest is the id."""

    __slots__ = ("created", "doc", "id", "layers", "size")

    def __init__(self, id: str, created: int, size: int, layers: str, doc: str) -> None:
        self.id = id
        self.created = created
        self.size = size
        self.layers = tuple(layers.split())
        self.doc = doc


_SELECT = "SELECT id, created, size, layers, doc FROM images WHERE gone = 0 "


class ImageRows:
    """What the engine asks of the tables."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, id: str) -> ImageRow | None:
        """The image with exactly this id."""
        values = self._db.row(_SELECT + "AND id = ?", (id,))
        return ImageRow(*values) if values else None

    def named(self, name: str) -> ImageRow | None:
        """The image that has the normalized name."""
        values = self._db.row(_SELECT + "AND id = (SELECT image FROM image_names WHERE name = ?)", (name,))
        return ImageRow(*values) if values else None

    def starting_with(self, prefix: str) -> list[str]:
        """The ids that start so, two at most: enough to know whether it is one."""
        sql = "SELECT id FROM images WHERE gone = 0 AND id >= ? AND id < ? LIMIT 2"
        return [id for (id,) in self._db.rows(sql, (prefix, prefix + "g"))]

    def all(self) -> list[ImageRow]:
        """Every image, newest first."""
        return [ImageRow(*values) for values in self._db.rows(_SELECT + "ORDER BY created DESC, id")]

    def names(self) -> dict[str, list[str]]:
        """The normalized names of every image that has one, sorted."""
        found: dict[str, list[str]] = {}
        for name, image in self._db.rows("SELECT name, image FROM image_names ORDER BY name"):
            found.setdefault(image, []).append(name)
        return found

    def names_of(self, id: str) -> Sequence[str]:
        """One image's normalized names, sorted."""
        found = self._db.rows("SELECT name FROM image_names WHERE image = ? ORDER BY name", (id,))
        return [name for (name,) in found]

    def set_name(self, name: str, id: str) -> bool:
        """Give a name to an image, taking it from any other; False when there is no such image."""
        sql = "INSERT OR REPLACE INTO image_names SELECT ?, id FROM images WHERE id = ? AND gone = 0"
        return self._db.execute(sql, (name, id)) > 0

    def drop_name(self, name: str, id: str) -> bool:
        """Take a name from an image; says whether it had it."""
        return self._db.execute("DELETE FROM image_names WHERE name = ? AND image = ?", (name, id)) > 0

    def add(self, row: ImageRow, name: str = "") -> None:
        """Make an image visible, whose layers we claim and whose data is on the disk; durable on return."""
        self._db.execute("PRAGMA synchronous=FULL")
        try:
            with self._db.write():
                values = (row.id, row.created, row.size, " ".join(row.layers), row.doc)
                self._db.execute("INSERT OR IGNORE INTO images VALUES (?, ?, ?, 0, ?, ?)", values)
                self._db.execute("UPDATE images SET gone = 0 WHERE id = ?", (row.id,))
                for layer in row.layers:
                    self._db.execute("INSERT OR IGNORE INTO image_layers VALUES (?, ?)", (row.id, layer))
                if name:
                    self._db.execute("INSERT OR REPLACE INTO image_names VALUES (?, ?)", (name, row.id))
        finally:
            self._db.execute("PRAGMA synchronous=NORMAL")

    def remove(self, id: str) -> None:
        """Forget an image and its names. While containers stand on it, its layers stay."""
        with self._db.write():
            self._db.execute("DELETE FROM image_names WHERE image = ?", (id,))
            self._db.execute("UPDATE images SET gone = 1 WHERE id = ?", (id,))

    def containers_of(self, id: str) -> list[tuple[str, str, str]]:
        """``(id, name, state)`` of the containers made from an image, those that run first."""
        sql = """SELECT id, name, state FROM containers WHERE image_id = ?
                 ORDER BY state IN ('running', 'paused') DESC"""
        return [(container, name, state) for container, name, state in self._db.rows(sql, (id,))]


class LayerRows:
    """Which layers there are, and who needs them."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def claim(self, id: str, diff_id: str, size: int, token: str) -> None:
        """Write the layer's row, and keep it while this process lives or until ``release``."""
        with self._db.write():
            self._db.execute("INSERT OR IGNORE INTO layers VALUES (?, ?, ?)", (id, diff_id, size))
            self._db.execute("INSERT INTO layer_claims VALUES (?, ?, ?)", (id, token, owner.me()))

    def release(self, token: str) -> None:
        """Let go of everything that was claimed under the token."""
        self._db.execute("DELETE FROM layer_claims WHERE token = ?", (token,))

    def size(self, id: str) -> int:
        """Bytes of the layer's files; 0 when it is unknown."""
        found = self._db.row("SELECT size FROM layers WHERE id = ?", (id,))
        return found[0] if found else 0

    def sizes(self) -> dict[str, int]:
        """Bytes of every layer's files, by its id."""
        return {id: size for id, size in self._db.rows("SELECT id, size FROM layers")}  # noqa: C416

    def has_leftovers(self) -> bool:
        """Whether there may be something to collect. Only reads, so that anybody may ask at any time."""
        claimants = self._db.rows("SELECT DISTINCT owner FROM layer_claims")
        if not all(owner.alive(claimant) for (claimant,) in claimants):
            return True
        sql = """SELECT 1 FROM layers WHERE id NOT IN (SELECT layer FROM image_layers)
                 AND id NOT IN (SELECT layer FROM layer_claims)
                 UNION ALL SELECT 1 FROM images WHERE gone = 1
                 AND NOT EXISTS (SELECT 1 FROM containers WHERE image_id = images.id) LIMIT 1"""
        return self._db.row(sql) is not None

    def collect(self, discard: Callable[[str], None]) -> Sequence[str]:
        """Forget the layers that nobody needs; ``discard`` is called to move each out of the way. Gives them.

        Nobody can start to need one meanwhile: all of it is one transaction.
        """
        with self._db.write():
            for (claimant,) in self._db.rows("SELECT DISTINCT owner FROM layer_claims"):
                if not owner.alive(claimant):
                    self._db.execute("DELETE FROM layer_claims WHERE owner = ?", (claimant,))
            unused = "gone = 1 AND NOT EXISTS (SELECT 1 FROM containers WHERE image_id = images.id)"
            self._db.execute(
                f"DELETE FROM image_layers WHERE image IN (SELECT id FROM images WHERE {unused})"
            )
            self._db.execute(f"DELETE FROM images WHERE {unused}")
            needed = "SELECT layer FROM image_layers UNION SELECT layer FROM layer_claims"
            found = [id for (id,) in self._db.rows(f"SELECT id FROM layers WHERE id NOT IN ({needed})")]
            for id in found:
                discard(id)
                self._db.execute("DELETE FROM layers WHERE id = ?", (id,))
        return found
