"""Which containers a list shows: docker's filters."""

from __future__ import annotations

from pyctr.errors import ContainerNotFound, InvalidParameter
from pyctr.store.json import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

    Test = Callable[[Row], bool]

FILTERS = (
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
)
STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
SHOWN = {"creating": "created", "starting": "created"}
"""What a passing state is shown as."""


def check_filters(filters: t.Filters, known: Iterable[str]) -> None:
    for key in filters:
        if key not in known:
            raise InvalidParameter(f"invalid filter '{key}'")


def shown_state(row: Row) -> str:
    """The state in docker's words."""
    if row.state == "starting" and row.finished:
        return "exited"
    return SHOWN.get(row.state, row.state)


def tests(core: Core, filters: t.Filters) -> list[Test]:
    """One test per filter; a container is shown if all hold."""
    check_filters(filters, FILTERS)
    makers: dict[str, Callable[[list[str]], Test]] = {
        "id": lambda values: lambda row: any(row.id.startswith(value) for value in values),
        "name": _name,
        "label": lambda values: lambda row: all(has_label(row.labels, value) for value in values),
        "status": _status,
        "exited": _exited,
        "ancestor": lambda values: _ancestor(core, values),
        "network": lambda values: lambda row: row.network in values,
        "volume": lambda values: lambda row: _mounts(row, values),
        "before": lambda values: _created(core, values, -1),
        "since": lambda values: _created(core, values, 1),
        # What no container here has, or every one.
        "health": lambda values: _constant("none" in values),
        "is-task": lambda values: _constant(not {"1", "true"} & set(values)),
        "isolation": lambda values: _constant("default" in values),
        "publish": lambda _: _constant(False),
        "expose": lambda _: _constant(False),
    }
    return [makers[key](values) for key, values in filters.items() if values]


def _constant(answer: bool) -> Test:
    return lambda _: answer


def has_label(labels: str, wanted: str) -> bool:
    """Whether a row's labels have ``KEY`` or ``KEY=VALUE``."""
    if not labels:
        return False
    found = loads(labels)
    key, equals, value = wanted.partition("=")
    return key in found and (not equals or found[key] == value)


def _name(values: list[str]) -> Test:
    import re

    try:
        patterns = [re.compile(value) for value in values]
    except re.error as error:
        raise InvalidParameter(f"invalid filter 'name': {error}") from None
    return lambda row: any(pattern.search(row.name) or pattern.search("/" + row.name) for pattern in patterns)


def _status(values: list[str]) -> Test:
    for value in values:
        if value not in STATUSES:
            raise InvalidParameter(f"invalid filter 'status={value}'")
    return lambda row: shown_state(row) in values


def _exited(values: list[str]) -> Test:
    try:
        codes = {int(value) for value in values}
    except ValueError as error:
        raise InvalidParameter(f"invalid filter 'exited': {error}") from None
    return lambda row: row.state in ("exited", "dead") and row.exit_code in codes


def _ancestor(core: Core, values: list[str]) -> Test:
    """Made from one of these images, or from one that stands on it."""
    from pyctr.engine.image.find import family

    ids = set().union(*(family(core, value) for value in values))
    return lambda row: row.image_id in ids


def _mounts(row: Row, values: list[str]) -> bool:
    if not row.mounts:
        return False
    return any(value in (mount.get("Name"), mount["Destination"], mount["Source"])
               for mount in loads(row.mounts) for value in values)  # fmt: skip


def _created(core: Core, values: list[str], sign: int) -> Test:
    times = []
    for value in values:
        try:
            times.append(core.containers.find(value).created)
        except ContainerNotFound:
            raise InvalidParameter(f"no such container: {value}") from None
    return lambda row: all(sign * row.created > sign * moment for moment in times)
