"""What there is in a store, from the pages of its damaged database and from its files: rows of a new one."""

from __future__ import annotations

import os

from pyctr import _core
from pyctr.store import files, names, owner, salvage
from pyctr.store.containers import COLUMNS, Row
from pyctr.store.drivers import NAMES as DRIVERS
from pyctr.store.journal import Journal
from pyctr.store.json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pyctr.store.paths import Paths

    Values = list[Any]

NUMBERS = {"created", "auto_remove", "pid", "started", "finished", "exit_code", "oom_killed"}
STATES = {"creating", "created", "starting", "running", "paused", "exited", "dead", "removing"}
LIVE = ("running", "paused")
LAST_MOMENT = 1 << 62
DIGEST = "sha256:"


class Remains:
    """The rows, by table."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.containers: dict[str, Row] = {}
        self.volumes: dict[str, Values] = {}
        self.images: dict[str, Values] = {}
        self.image_names: dict[str, str] = {}
        self.layers: dict[str, Values] = {}
        self.execs: dict[str, Values] = {}
        self.nameless = 0
        """Containers of which only files are left."""
        self._events: dict[str, dict[str, str]] | None = None

    def tables(self) -> Iterable[tuple[str, Iterable[Iterable[Any]]]]:
        """What to insert, where."""
        yield "containers", self.containers.values()
        yield "volumes", self.volumes.values()
        yield "volume_users", [(volume, row.id) for row in self.containers.values() for volume in _uses(row)]
        yield "execs", [values for values in self.execs.values() if values[1] in self.containers]
        yield "images", self.images.values()
        named = self.image_names.items()
        yield "image_names", [(name, image) for name, image in named if image in self.images]
        yield "layers", self.layers.values()
        yield "image_layers", [(id, layer) for id, row in self.images.items() for layer in row[4].split()]

    def summary(self) -> str:
        """How much that is, for a person."""
        nameless = f" ({self.nameless} known by their files alone)" if self.nameless else ""
        return (
            f"{len(self.containers)} containers{nameless}, {len(self.images)} images "
            f"and {len(self.volumes)} volumes"
        )

    # Rows of the damaged file

    def take(self, values: Values) -> None:
        """Sort in one cell, if it is a row whose files are there."""
        if len(values) == len(COLUMNS) and _is_id(values[0]):
            self._take_container(values)
        elif len(values) == 5 and _is_name(values[0]):
            if os.path.isdir(self.paths.volume(values[0])):
                name, created, anonymous, labels, options = values
                anonymous = int(anonymous == 1)
                self.volumes[name] = [name, _moment(created), anonymous, _json(labels), _json(options)]
        elif len(values) == 6 and _is_digest(values[0]):
            self._take_image(values)
        elif len(values) == 6 and _is_id(values[0]) and _is_id(values[1]) and isinstance(values[5], str):
            pid = values[2] if isinstance(values[2], int) else 0
            self.execs[values[0]] = [*values[:2], pid, "exited", values[4], values[5]]
        elif len(values) == 3 and _is_id(values[0]) and _is_digest(values[1]):
            if self._has_layer(values[0]):
                self.layers[values[0]] = [*values[:2], values[2] if isinstance(values[2], int) else 0]
        elif len(values) == 2 and _is_digest(values[1]) and not _is_id(values[0]):
            self.image_names[str(values[0])] = values[1]

    def _take_container(self, values: Values) -> None:
        for index, column in enumerate(COLUMNS):
            if column in NUMBERS:
                values[index] = _moment(values[index])
            elif not isinstance(values[index], str):
                values[index] = ""
        row = Row(values)
        if row.state not in STATES:
            row = row.replaced(state="exited" if row.started else "created")
        row = row.replaced(labels=_json(row.labels), mounts=_json(row.mounts))
        known = self.containers.get(row.id)
        newer = known is None or (row.started, row.finished) >= (known.started, known.finished)
        if newer and (self._has_files(row.id) or owner.alive(row.owner)):
            self.containers[row.id] = row

    def _take_image(self, values: Values) -> None:
        id, created, size, gone, layers, doc = values
        # The name is the proof that nothing else in the document is damaged.
        if not isinstance(doc, str) or DIGEST + _core.sha256(doc.encode()) != id:
            return
        if isinstance(layers, str) and layers and all(map(self._has_layer, layers.split())):
            size = size if isinstance(size, int) else 0
            self.images[id] = [id, _moment(created), size, int(gone == 1), layers, doc]

    # What the files know

    def add_files(self) -> None:
        """A row for everything that has files and none."""
        for id in sorted(self._with_files() - self.containers.keys()):
            self.containers[id] = self._from_files(id)
            self.nameless += 1
        for name in _entries(f"{self.paths.root}/volumes"):
            if names.is_name(name) and name not in self.volumes:
                created = _changed(self.paths.volume(name))
                self.volumes[name] = [name, created, int(names.is_id(name)), "", ""]
        for row in self.images.values():
            layers, diff_ids = row[4].split(), loads(row[5])["rootfs"]["diff_ids"]
            for layer, diff_id in zip(reversed(layers), diff_ids, strict=False):
                self.layers.setdefault(layer, [layer, diff_id, row[2] if len(layers) == 1 else 0])
        self._correct()

    def _correct(self) -> None:
        """What the kernel knows better; and a name for everyone, that nobody else has."""
        ids = list(self.containers)
        held = _core.locks_held([self.paths.shim_lock(id) for id in ids])
        taken = set()
        for id, live in zip(ids, held, strict=True):
            row = self.containers[id]
            if live and row.state not in LIVE and not owner.alive(row.owner):
                row = row.replaced(state="running", owner="", boot=owner.boot_id(), pid=self._pid(id))
                # Its supervisor wrote its pid there when it began.
                row = row.replaced(started=row.started or _changed(self.paths.shim_lock(id)))
            if not names.is_name(row.name) or row.name in taken:
                row = row.replaced(name=id[:12])
            taken.add(row.name)
            self.containers[id] = row

    def _pid(self, id: str) -> int:
        """The first process of a container that runs."""
        try:
            return int(loads(files.read(f"{self.paths.bundle(id)}/state.json"))["init"]["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _with_files(self) -> set[str]:
        homes = [self.paths.containers, self.paths.run_containers]
        found = {id for home in homes for id in _entries(home)}
        for driver in DRIVERS:
            home = f"{self.paths.root}/{driver}"
            # Only a container's layer says what it lies on.
            found |= {id for id in _entries(home) if os.path.exists(f"{home}/{id}/lower")}
        return {id for id in found if names.is_id(id)}

    def _from_files(self, id: str) -> Row:
        """As much of a row as journal, layer and exit record give; ``inspect`` and ``start`` refuse it."""
        layers = " ".join(self._below(id))
        image = next((image for image, row in self.images.items() if row[4] == layers), "")
        events = self._last_events()
        ended = os.path.exists(self.paths.exit(id, 0))
        known = {
            "id": id,
            "name": str(events.get(id, {}).get("name", "")),
            "created": _changed(self.paths.container(id)),
            "image": str(events.get(id, {}).get("image", "")),
            "image_id": image,
            "network": "none",
            # Whoever sees it first reads the record of its end.
            "state": "running" if ended else "created",
            "boot": owner.boot_id() if ended else "",
        }
        return Row(known.get(column, 0 if column in NUMBERS else "") for column in COLUMNS)

    def _last_events(self) -> dict[str, dict[str, str]]:
        """What the journal says of every container it knows."""
        if self._events is None:
            events = Journal(self.paths.journal).read()
            found = {event["Actor"]["ID"]: event for event in events if event["Type"] == "container"}
            self._events = {id: event["Actor"]["Attributes"] for id, event in found.items()}
        return self._events

    def _below(self, id: str) -> list[str]:
        for driver in DRIVERS:
            try:
                if text := files.read(f"{self.paths.root}/{driver}/{id}/lower").decode():
                    return text.split()
            except (OSError, ValueError):
                continue
        return []

    def _has_files(self, id: str) -> bool:
        places = [self.paths.container(id), self.paths.bundle(id)]
        return any(map(os.path.isdir, [*places, *(f"{self.paths.root}/{name}/{id}" for name in DRIVERS)]))

    def _has_layer(self, id: str) -> bool:
        return any(os.path.isdir(f"{self.paths.root}/{driver}/{id}/diff") for driver in DRIVERS)


def collect(paths: Paths, database: bytes, log: bytes) -> Remains:
    """Everything that can be known about a store whose database holds these bytes."""
    remains = Remains(paths)
    for values in salvage.rows(database, log):
        remains.take(values)
    remains.add_files()
    return remains


def _uses(row: Row) -> set[str]:
    """The names of the volumes that a container has."""
    found = set()
    for text, key in ((row.doc, "Points"), (row.mounts, None)):
        try:
            points = loads(text)[key] if key else loads(text)
            found |= {point["Name"] for point in points if point["Type"] == "volume"}
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _is_id(value: object) -> bool:
    return isinstance(value, str) and names.is_id(value)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and names.is_name(value)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and value.startswith(DIGEST) and names.is_id(value[len(DIGEST) :])


def _moment(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < LAST_MOMENT else 0


def _json(value: object) -> str:
    """The text of a column that holds JSON or nothing."""
    try:
        loads(str(value))
    except ValueError:
        return ""
    return str(value)


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _entries(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []
