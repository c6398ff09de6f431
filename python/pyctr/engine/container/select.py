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
HEALTHS = ("none", "starting", "healthy", "unhealthy")
STATUSES = ("created", "running", "paused", "restarting", "removing", "exited", "dead")
SHOWN = {"creating": "created", "starting": "created"}
"""What a passing state is shown as."""

_ENDPOINT: t.Json = {
    "IPAMConfig": None,
    "Links": None,
    "Aliases": None,
    "MacAddress": "",
    "DriverOpts": None,
    "GwPriority": 0,
    "NetworkID": "",
    "EndpointID": "",
    "Gateway": "",
    "IPAddress": "",
    "IPPrefixLen": 0,
    "IPv6Gateway": "",
    "GlobalIPv6Address": "",
    "GlobalIPv6PrefixLen": 0,
    "DNSNames": None,
}
"""What is to say about a container in a network without addresses."""


def check_filters(filters: t.Filters, known: Iterable[str]) -> None:
    for key in filters:
        if key not in known:
            raise InvalidParameter(f"invalid filter '{key}'")


def shown_state(row: Row) -> str:
    """The state in docker's words."""
    if row.state == "starting" and row.finished:
        return "exited"
    return SHOWN.get(row.state, row.state)


def networks(row: Row) -> t.Json:
    """The networks it is in: the one its mode is, unless that is another container's."""
    return {} if row.network.startswith("container:") else {row.network: _ENDPOINT}


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
        "health": _health,
        "is-task": _is_task,
        "isolation": lambda values: _constant("default" in values),
        "publish": lambda values: _port("publish", values),
        "expose": lambda values: _port("expose", values),
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


def _is_task(values: list[str]) -> Test:
    from pyctr.engine.image.list import truth

    return _constant(not truth("is-task", values))


def _health(values: list[str]) -> Test:
    for value in values:
        if value not in HEALTHS:
            raise InvalidParameter(f"unrecognised filter value for health: {value}")
    return _constant("none" in values)


def _port(name: str, values: list[str]) -> Test:
    """``80``, ``8000-8010/tcp``: no container here has one."""
    for value in values:
        span, slash, protocol = value.partition("/")
        first, dash, last = span.partition("-")
        last = last if dash else first
        if not (_is_port(first) and _is_port(last) and int(first) <= int(last)):
            raise InvalidParameter(f"error while looking up for {name} {value}: invalid port: {span}")
        if slash and protocol.lower() not in ("tcp", "udp", "sctp"):
            raise InvalidParameter(f"error while looking up for {name} {value}: invalid proto: {protocol}")
    return _constant(False)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text[:6]) <= 65535


def _name(values: list[str]) -> Test:
    import re

    try:
        patterns = [re.compile(_python_pattern(value)) for value in values]
    except re.error as error:
        raise InvalidParameter(f"invalid filter 'name={values[0]}': {error}") from None
    return lambda row: any(pattern.search(row.name) or pattern.search("/" + row.name) for pattern in patterns)


def _python_pattern(pattern: str) -> str:
    """Go's regular expressions have POSIX's classes and another word for the end of the text."""
    for name, characters in (
        ("[:alpha:]", "A-Za-z"),
        ("[:digit:]", "0-9"),
        ("[:alnum:]", "0-9A-Za-z"),
        ("[:lower:]", "a-z"),
        ("[:upper:]", "A-Z"),
        (r"\z", r"\Z"),
    ):
        pattern = pattern.replace(name, characters)
    return pattern


def _status(values: list[str]) -> Test:
    for value in values:
        if value not in STATUSES:
            raise InvalidParameter(f"invalid filter 'status={value}'")
    return lambda row: shown_state(row) in values


def _exited(values: list[str]) -> Test:
    try:
        codes = {int(value) for value in values}
    except ValueError:
        raise InvalidParameter(f"invalid filter 'exited={','.join(values)}': not a number") from None
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
