"""What ``history`` shows of each step an image was made in."""

from __future__ import annotations

from pyctr.cli.output.units import ago, ellipsis, human_size, short_id
from pyctr.cli.template import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pyctr.engine.types import Json

HISTORY_HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}


def _one_line(text: str) -> str:
    """Return text that breaks no table and that no terminal obeys, whatever an image says of itself."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


class _Step:
    """One step, and how it is to be shown."""

    __slots__ = ("about", "human", "truncate")

    def __init__(self, about: Json, human: bool, truncate: bool) -> None:
        self.about = about
        self.human = human
        self.truncate = truncate

    def id(self) -> str:
        return short_id(self.about["Id"]) if self.truncate else str(self.about["Id"])

    def since(self) -> str:
        created = self.about["Created"]
        if not self.human:
            return _moment(created)
        return ago(created) if created > 0 else "N/A"

    def by(self) -> str:
        text: str = self.about["CreatedBy"].replace("\t", " ")
        return ellipsis(_one_line(text), 45) if self.truncate else text

    def comment(self) -> str:
        text: str = self.about["Comment"]
        return _one_line(text) if self.truncate else text

    def size(self) -> str:
        return human_size(self.about["Size"], 3) if self.human else str(self.about["Size"])


_FIELDS: dict[str, Callable[[_Step], str]] = {
    "ID": _Step.id,
    "CreatedSince": _Step.since,
    "CreatedAt": lambda step: _moment(step.about["Created"]),
    "CreatedBy": _Step.by,
    "Size": _Step.size,
    "Comment": _Step.comment,
}


def history_record(step: Json, *, human: bool, truncate: bool) -> Record:
    """Return one line of ``history``; not ``human``: moments and bytes instead of spans and units."""
    return Record(_Step(step, human, truncate), _FIELDS, kind="*image.historyContext")


def _moment(created: int) -> str:
    """Return a Unix time as RFC 3339 has it, in the local zone."""
    from time import localtime, strftime

    moment = localtime(created)
    zone = strftime("%z", moment)
    return strftime("%Y-%m-%dT%H:%M:%S", moment) + (f"{zone[:3]}:{zone[3:]}" if zone != "+0000" else "Z")
