"""events: what the journal has, and what is added while one watches."""

from __future__ import annotations

import time

from pyctr.engine.clock import parse_moment
from pyctr.engine.recover import everything
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyctr.engine import types as t
    from pyctr.engine.core import Core

POLL_SECONDS = 0.1
LOOK_SECONDS = 1.0
"""How often a watcher looks whether containers have ended that nobody waits for."""
FILTERS = ("container", "event", "image", "label", "type", "volume", "scope", "network", "daemon")


def events(
    core: Core, *, since: str | None = None, until: str | None = None, filters: t.Filters | None = None
) -> Iterator[t.Event]:
    """``GET /events``. Without ``since`` only what happens from now on."""
    filters = filters or {}
    for key in filters:
        if key not in FILTERS:
            raise InvalidParameter(f"invalid filter '{key}'")
    first, last = parse_moment("since", since), parse_moment("until", until)
    if first is not None and last is not None and first > last:
        raise InvalidParameter(f"`since` time ({since}) cannot be after `until` time ({until})")
    core.db.connection()  # makes the store if there is none
    return (event for event in _all(core, first, last) if matches(event, filters))


def _all(core: Core, first: int | None, last: int | None) -> Iterator[t.Event]:
    now = time.time_ns()
    follow = core.journal.follow()
    seen: set[tuple[int, str, str]] = set()
    if first is not None:
        everything(core)
        for event in core.journal.read():
            if first <= event["timeNano"] <= (now if last is None else last):
                seen.add(_identity(event))
                yield event
    looked = 0.0
    while last is None or time.time_ns() < last:
        if time.monotonic() - looked > LOOK_SECONDS:
            everything(core)
            looked = time.monotonic()
        new = next(follow)
        if new is None:
            time.sleep(POLL_SECONDS)
        elif _identity(new) not in seen and (last is None or new["timeNano"] <= last):
            yield new


def _identity(event: t.Event) -> tuple[int, str, str]:
    return event["timeNano"], event["Action"], event["Actor"]["ID"]


def matches(event: t.Event, filters: t.Filters) -> bool:
    """Whether an event passes: one value of each filter fits."""
    attributes, actor = event["Actor"]["Attributes"], event["Actor"]["ID"]
    kind, action = event["Type"], event["Action"].partition(":")[0]
    candidates = {
        "type": [kind],
        "event": [action, event["Action"]],
        "scope": [event["scope"]],
        "daemon": [],
        "network": [actor] if kind == "network" else [],
        "volume": [actor] if kind == "volume" else [],
        "image": [actor, attributes.get("name", "")] if kind == "image" else [attributes.get("image", "")],
    }
    for key, values in filters.items():
        if key == "container":
            fits = kind == "container" and any(
                actor.startswith(value) or attributes.get("name") == value.removeprefix("/")
                for value in values
            )
        elif key == "label":
            fits = all(_has(attributes, value) for value in values)
        else:
            fits = any(value in candidates[key] for value in values)
        if not fits:
            return False
    return True


def _has(attributes: dict[str, str], wanted: str) -> bool:
    key, equals, value = wanted.partition("=")
    return key in attributes and (not equals or attributes[key] == value)
