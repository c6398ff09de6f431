"""The rows of the containers table: look up, list, and change state by compare-and-set."""

from __future__ import annotations

from _operator import itemgetter  # operator itself is a page of Python

from pyctr.errors import Conflict, ContainerNotFound, InvalidParameter
from pyctr.store import names
from pyctr.store.db import UniqueViolation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pyctr.store.db import Database

# The order of the columns in the table, ``doc`` (the largest, and not needed for lists) last.
SUMMARY = (
    "id, name, created, image, image_id, command, network, labels, mounts, auto_remove, "
    "state, owner, boot, pid, started, finished, exit_code, oom_killed, error"
)
COLUMNS = (*SUMMARY.split(", "), "doc")


class Row(tuple):  # type: ignore[type-arg]
    """One container as the database has it: a tuple whose items have the names of the columns.

    See ``schema.py`` for what they mean. A namedtuple would cost more to define than all rows cost to read.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        id: str
        name: str
        created: int
        image: str
        image_id: str
        command: str
        network: str
        labels: str
        mounts: str
        auto_remove: int
        state: str
        owner: str
        boot: str
        pid: int
        started: int
        finished: int
        exit_code: int
        oom_killed: int
        error: str
        doc: str

    def replaced(self, **columns: Any) -> Row:
        """The same row with some columns changed, as it will be after an update."""
        return Row(columns.get(column, value) for column, value in zip(COLUMNS, self, strict=False))


for _index, _column in enumerate(COLUMNS):
    setattr(Row, _column, property(itemgetter(_index)))


class ContainerRows:
    """What the engine asks of the table."""

    __slots__ = ("_db",)

    def __init__(self, db: Database) -> None:
        self._db = db

    def insert(self, row: Row) -> None:
        """Add a container. Conflict, in docker's words, when the name is taken."""
        marks = ",".join("?" * len(COLUMNS))
        try:
            self._db.execute(f"INSERT INTO containers VALUES ({marks})", row)
        except UniqueViolation:
            raise self.name_conflict(row.name) from None

    def insert_named_at_random(self, row: Row) -> Row:
        """Add a container under a name of our choice; gives the row with it."""
        for attempt in range(100):
            named = row.replaced(name=names.random_name(attempt))
            try:
                self.insert(named)
            except Conflict:
                continue
            return named
        named = row.replaced(name=row.id[:12])
        self.insert(named)
        return named

    def name_conflict(self, name: str) -> Conflict:
        taken = self._db.row("SELECT id FROM containers WHERE name = ?", (name,))
        holder = f' by container "{taken[0]}"' if taken else ""
        return Conflict(
            f'the container name "/{name}" is already in use{holder}',
            hint="remove or rename that container to be able to reuse the name",
        )

    def get(self, id: str) -> Row | None:
        """The row with exactly this id."""
        values = self._db.row(f"SELECT {SUMMARY}, doc FROM containers WHERE id = ?", (id,))
        return Row(values) if values else None

    def find(self, ref: str) -> Row:
        """The row a user means: a full id, else a name, else an unambiguous prefix of an id."""
        select = f"SELECT {SUMMARY}, doc FROM containers WHERE "
        if names.is_id(ref) and (values := self._db.row(select + "id = ?", (ref,))):
            return Row(values)
        if values := self._db.row(select + "name = ?", (ref.removeprefix("/"),)):
            return Row(values)
        if names.is_id_prefix(ref):
            found = self._db.rows(select + "id >= ? AND id < ? LIMIT 2", (ref, ref + "g"))
            if len(found) > 1:
                raise InvalidParameter(f"multiple IDs found with provided prefix: {ref}")
            if found:
                return Row(found[0])
        if not ref:
            raise InvalidParameter("no container name or ID supplied")
        raise ContainerNotFound(f"no such container: {ref}")

    def at_work(self) -> Iterable[tuple[str, str]]:
        """``(id, owner)`` of the rows somebody claims to be at work on."""
        return self._db.rows("SELECT id, owner FROM containers WHERE owner <> ''")

    def live(self) -> Iterable[str]:
        """The ids that should be running."""
        found = self._db.rows("SELECT id FROM containers WHERE state IN ('running', 'paused')")
        return [id for (id,) in found]

    def change(self, id: str, expected: Iterable[str], **columns: Any) -> bool:
        """Set columns if the state is one of ``expected``; says whether it was."""
        states = tuple(expected)
        assigned = ", ".join(f"{column} = ?" for column in columns)
        marks = ",".join("?" * len(states))
        sql = f"UPDATE containers SET {assigned} WHERE id = ? AND state IN ({marks})"
        return self._db.execute(sql, (*columns.values(), id, *states)) == 1

    def set(self, id: str, **columns: Any) -> bool:
        """Set columns whatever the state; says whether the container is still there."""
        assigned = ", ".join(f"{column} = ?" for column in columns)
        return (
            self._db.execute(f"UPDATE containers SET {assigned} WHERE id = ?", (*columns.values(), id)) == 1
        )

    def take_over(self, id: str, owner: str, new_owner: str) -> bool:
        """Become the owner in the place of a dead one."""
        sql = "UPDATE containers SET owner = ? WHERE id = ? AND owner = ?"
        return self._db.execute(sql, (new_owner, id, owner)) == 1

    def rename(self, id: str, name: str) -> None:
        try:
            self._db.execute("UPDATE containers SET name = ? WHERE id = ?", (name, id))
        except UniqueViolation:
            raise self.name_conflict(name) from None

    def delete(self, id: str) -> bool:
        """Forget the container and everything that refers to it."""
        with self._db.write():
            self._db.execute("DELETE FROM volume_users WHERE container = ?", (id,))
            self._db.execute("DELETE FROM execs WHERE container = ?", (id,))
            return self._db.execute("DELETE FROM containers WHERE id = ?", (id,)) == 1

    def list(self) -> list[Row]:
        """Every row, newest first, without its document."""
        found = self._db.rows(f"SELECT {SUMMARY} FROM containers ORDER BY created DESC")
        return [Row(values) for values in found]
